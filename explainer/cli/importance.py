"""`explainer importance MODEL --input rows.csv`: which features matter over a file's rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from explainer.cli.rooms import desk
from explainer.cli.rows import whole
from explainer.records import ExplainOptions
from explainer.usecases.explain import ExplainAsk
from explainer.usecases.importance import importance
from explainer.usecases.models import show_model

SPACES = click.Choice(["probability", "log_odds", "raw"])


@click.command("importance")
@click.argument("model")
@click.option("--input", "source", required=True, type=click.Path(path_type=Path), help="CSV, JSONL or Parquet")
@click.option("--background", type=click.Path(path_type=Path), help="A file of rows that stand for 'absent'")
@click.option("--ignore", "ignored", multiple=True, help="A column of the files that is no feature (may be repeated)")
@click.option("--version", help="A version other than the current one")
@click.option("--method", default="auto", show_default=True, help="auto, shap, lime, or a method's own name")
@click.option("--space", type=SPACES, help="The output space (default: as the manifest says)")
@click.option("--class", "class_name", help="Which class; 'all' gives every one")
@click.option("--top", type=click.IntRange(1), help="Only so many leading features")
@click.option("--tolerance", type=click.FloatRange(0, min_open=True), help="Largest half-width of a row's interval")
@click.option("--max-evaluations", type=click.IntRange(1), help="Most model rows evaluated for one explained row")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Default: derived from model, row and settings")
@click.option("--points", is_flag=True, help="Add every row's attributions and values, for a beeswarm")
def command(
    model: str, source: Path, background: Path | None, ignored: tuple[str, ...], points: bool, **settings: Any
) -> None:
    """Print the importance of each feature over the rows of a file, as JSON; a row that does not fit is refused."""
    version = settings.pop("version")
    options = ExplainOptions(output=settings.pop("space"), **settings)
    with desk(workers=True) as at:
        manifest = show_model(at.rooms, at.caller(), model, version).version.manifest
        rows = whole(source, manifest.features, ignored)
        brought = None if background is None else whole(background, manifest.features, ignored)
        ask = ExplainAsk(model, rows, options, manifest.version, brought)
        found = importance(at.rooms, at.serving, at.caller(), ask, points=points)
        click.echo(orjson.dumps(found.items, option=orjson.OPT_INDENT_2).decode())
