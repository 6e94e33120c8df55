"""`explainer ledger`: is the record whole?"""

from __future__ import annotations

import dataclasses
import json
import sys

import click

from explainer.cli.rooms import desk
from explainer.usecases.ledger import verify_ledger


@click.group("ledger")
def command() -> None:
    """The record of every request and change."""


@command.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output")
def verify(as_json: bool) -> None:
    """Recompute the chain; status 1 and the first bad entry when it does not hold."""
    with desk() as at:
        verdict = verify_ledger(at.rooms, at.caller())
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(verdict)))
    else:
        click.echo(verdict.detail)
        click.echo(f"Head, to be kept elsewhere: {verdict.head or 'none, the ledger is empty'}")
    sys.exit(0 if verdict.ok else 1)
