"""`explainer explain MODEL --input rows.csv`: explanations of a file's rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from explainer.cli.outputs import explanation_layout
from explainer.cli.rooms import desk
from explainer.cli.rows import Work, carry, whole
from explainer.records import ExplainOptions
from explainer.usecases.explain import ExplainAsk, explain
from explainer.usecases.models import show_model

SPACES = click.Choice(["probability", "log_odds", "raw"])


@click.command("explain")
@click.argument("model")
@click.option("--input", "source", required=True, type=click.Path(path_type=Path), help="CSV, JSONL or Parquet")
@click.option("--output", type=click.Path(path_type=Path), help="JSONL, CSV or Parquet (default: JSONL to stdout)")
@click.option("--ignore", "ignored", multiple=True, help="A column of the file that is no feature (may be repeated)")
@click.option("--version", help="A version other than the current one")
@click.option("--method", default="auto", show_default=True, help="auto, shap, lime, or a method's own name")
@click.option("--space", type=SPACES, help="The output space (default: as the manifest says)")
@click.option("--class", "class_name", help="Which class; 'all' gives every one")
@click.option("--top", type=click.IntRange(1), help="Only so many leading features, the rest as one sum")
@click.option("--tolerance", type=click.FloatRange(0, min_open=True), help="Largest half-width of the interval")
@click.option("--max-evaluations", type=click.IntRange(1), help="Most model rows evaluated for one explained row")
@click.option("--background", type=click.Path(path_type=Path), help="A file of rows that stand for 'absent'")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Default: derived from model, row and settings")
def command(
    model: str, source: Path, output: Path | None, background: Path | None, ignored: tuple[str, ...], **settings: Any
) -> None:
    """Explain the rows of a file; status 1 when some rows were refused, each named on standard error."""
    version = settings.pop("version")
    options = ExplainOptions(output=settings.pop("space"), **settings)
    with desk(workers=True) as at:
        manifest = show_model(at.rooms, at.caller(), model, version).version.manifest
        brought = None if background is None else whole(background, manifest.features, ignored)

        def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            ask = ExplainAsk(model, rows, options, manifest.version, brought)
            return explain(at.rooms, at.serving, at.caller(), ask).items

        work = Work(source, output, explanation_layout(manifest.features), manifest.features, ignored)
        sys.exit(0 if carry(work, answers) else 1)
