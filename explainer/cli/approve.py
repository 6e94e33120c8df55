"""`explainer approve MODEL VERSION`: a version that waits is let into service, its findings accepted with reasons."""

from __future__ import annotations

import click

from explainer.cli.rooms import desk
from explainer.errors import InvalidOption
from explainer.usecases.approve import ApprovalAsk, approve


@click.command("approve")
@click.argument("model")
@click.argument("version")
@click.option("--accept", "codes", metavar="CODE", multiple=True, help="A finding that is acceptable; may be repeated")
@click.option("--reason", "reasons", metavar="TEXT", multiple=True, help="Why, one for each --accept in their order")
def command(model: str, version: str, codes: tuple[str, ...], reasons: tuple[str, ...]) -> None:
    """Let a registered version into service; `explainer models show MODEL --version VERSION` lists what was found."""
    if len(codes) != len(reasons):
        raise InvalidOption(
            f"reason: {len(codes)} findings are accepted with {len(reasons)} reasons; each needs its own."
        )
    with desk() as at:
        approve(at.rooms, at.caller(), ApprovalAsk(model, version, dict(zip(codes, reasons, strict=True))))
    click.echo(f"Approved {model} version {version}; it is served from now on.")
