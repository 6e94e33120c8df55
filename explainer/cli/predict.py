"""`explainer predict MODEL --input rows.csv`: predictions of a file's rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from explainer.cli.outputs import prediction_layout
from explainer.cli.rooms import desk
from explainer.cli.rows import Work, carry
from explainer.usecases.models import show_model
from explainer.usecases.predict import predict


@click.command("predict")
@click.argument("model")
@click.option("--input", "source", required=True, type=click.Path(path_type=Path), help="CSV, JSONL or Parquet")
@click.option("--output", type=click.Path(path_type=Path), help="JSONL, CSV or Parquet (default: JSONL to stdout)")
@click.option("--ignore", "ignored", multiple=True, help="A column of the file that is no feature (may be repeated)")
@click.option("--version", help="A version other than the current one")
def command(model: str, source: Path, output: Path | None, ignored: tuple[str, ...], version: str | None) -> None:
    """Predict the rows of a file; status 1 when some rows were refused, each named on standard error."""
    with desk(workers=True) as at:
        manifest = show_model(at.rooms, at.caller(), model, version).version.manifest

        def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            items = predict(at.rooms, at.serving, at.caller(), model, manifest.version, rows).items
            return [{"row": i, **item} for i, item in enumerate(items)]

        work = Work(source, output, prediction_layout(manifest.classes), manifest.features, ignored)
        sys.exit(0 if carry(work, answers) else 1)
