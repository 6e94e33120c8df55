"""`explainer backup FOLDER`: a complete, consistent copy while the service runs."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click
import orjson

from explainer.cli.rooms import desk
from explainer.usecases.backup import back_up

MEGABYTE = 1_000_000


@click.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output")
def command(folder: Path, as_json: bool) -> None:
    """Copy accounts, receipts, ledger and registry into FOLDER, which is then complete or not there.

    FOLDER must be new or empty. Status 1 when nothing was copied, or when the chain of the copied ledger is broken.
    """
    with desk() as at:
        done = back_up(at.rooms, at.caller(), folder)
    if as_json:
        click.echo(orjson.dumps({**dataclasses.asdict(done), "folder": str(done.folder)}).decode())
    else:
        click.echo(f"Wrote {done.folder}: {len(done.files)} files, {done.bytes / MEGABYTE:.1f} MB.")
        click.echo(f"Ledger: {done.ledger.detail}. Head: {done.ledger.head or 'none'}")
    sys.exit(0 if done.ledger.ok else 1)
