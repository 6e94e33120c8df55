"""`explainer reseal`: brings what is kept under the first master key."""

from __future__ import annotations

import sys

import click

from explainer.cli.rooms import desk
from explainer.usecases.subjects import reseal_records


@click.command("reseal")
def command() -> None:
    """Seal receipts that stand in the clear, and wrap every key anew, while the service runs.

    Afterwards an older master key is not needed any more for receipts. Status 1 when damaged receipts were left in the
    clear.
    """
    with desk() as at:
        done = reseal_records(at.rooms, at.caller())
    click.echo(f"Sealed {done.sealed} receipts, wrapped {done.rewrapped} keys anew.")
    if done.damaged:
        click.echo(f"{done.damaged} receipts are damaged and were left as they are.", err=True)
    sys.exit(1 if done.damaged else 0)
