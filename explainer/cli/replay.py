"""`explainer replay RECEIPT`: the same answer again."""

from __future__ import annotations

import json
import sys

import click

from explainer.cli.rooms import desk
from explainer.usecases.receipts import replay_receipt


@click.command("replay")
@click.argument("receipt")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output")
def command(receipt: str, as_json: bool) -> None:
    """Compute the answer of RECEIPT again; status 1 when a number differs."""
    with desk(workers=True) as at:
        done = replay_receipt(at.rooms, at.serving, at.caller(), receipt)
    if as_json:
        click.echo(
            json.dumps({"receipt": receipt, "identical": done.identical, "largest_difference": done.largest_difference})
        )
    elif done.identical:
        click.echo(f"{receipt}: every number came out the same, to the bit.")
    else:
        click.echo(f"{receipt}: NOT the same; the largest difference is {done.largest_difference:.3g}.")
    sys.exit(0 if done.identical else 1)
