"""`explainer retention`: how long receipts and decided cases are kept."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Literal

import click

from explainer.cli.rooms import desk
from explainer.errors import InvalidOption
from explainer.usecases import retention

MODEL = click.option("--model", help="A registered model's name")
SUBJECT = click.option("--subject", help="A person's reference; `-` reads it from standard input")


@click.group("retention")
def command() -> None:
    """Periods after which receipts go, and holds that keep them."""


@command.command("show")
def show() -> None:
    """List periods and holds."""
    with desk() as at:
        kept = retention.show_retention(at.rooms, at.caller())
    for model, days in kept.periods.items():
        click.echo(f"{'every other model' if model == '*' else model}: {days} days")
    if "*" not in kept.periods:
        click.echo("every other model: for ever")
    for model, days in kept.decisions.items():
        click.echo(f"decided cases of {'every other model' if model == '*' else model}: {days} days")
    for hold in kept.holds:
        click.echo(f"held since {hold.at}: {hold.kind} {hold.name[:16]}: {hold.reason}")


@command.command("set")
@click.option("--model", default="*", show_default=True, help="A model's name, or * for every other")
@click.option("--days", type=click.IntRange(1, retention.LONGEST_DAYS), help="How long they are kept")
@click.option("--forever", is_flag=True, help="No period: they stay")
@click.option("--kind", type=click.Choice(["receipts", "decisions"]), default="receipts", show_default=True,
              help="Receipts by their age, or cases by the day on which they were decided")  # fmt: skip
def change(model: str, days: int | None, kind: retention.Record, *, forever: bool) -> None:
    """Set the period of a model's receipts, or of its decided cases; one that waits is kept."""
    if (days is None) is not forever:
        raise click.UsageError("Give either --days or --forever.")
    with desk() as at:
        retention.set_period(at.rooms, at.caller(), model, days, kind)


@command.command("hold")
@MODEL
@SUBJECT
@click.option("--reason", required=True, help="Why; kept with the hold, shown by `show`")
def hold(model: str | None, subject: str | None, reason: str) -> None:
    """Let nobody remove the receipts of a model or a person."""
    kind, name = _held(model, subject)
    with desk() as at:
        retention.begin_hold(at.rooms, at.caller(), kind, name, reason)


@command.command("release")
@MODEL
@SUBJECT
def release(model: str | None, subject: str | None) -> None:
    """End a hold."""
    kind, name = _held(model, subject)
    with desk() as at:
        retention.end_hold(at.rooms, at.caller(), kind, name)


@command.command("sweep")
@click.option("--dry-run", is_flag=True, help="Only say what would go")
def sweep(*, dry_run: bool) -> None:
    """Remove receipts and empty decided cases whose period is over and that nothing holds."""
    act = retention.what_is_due if dry_run else retention.sweep
    with desk() as at:
        found = act(at.rooms, at.caller(), datetime.now(UTC))
    for due in found:
        what = f"{due.decisions} cases decided" if due.decisions else f"{due.receipts} receipts from"
        click.echo(f"{due.model}: {what} before {due.before}")
    verb, cases = "would be removed" if dry_run else "removed", sum(due.decisions for due in found)
    click.echo(f"{sum(due.receipts for due in found)} receipts {verb}.")
    if cases:
        click.echo(f"{cases} decided cases {'would be emptied' if dry_run else 'emptied'}.")


def _held(model: str | None, subject: str | None) -> tuple[Literal["model", "subject"], str]:
    if (model is None) is (subject is None):
        raise click.UsageError("Give either --model or --subject.")
    if model is not None:
        return "model", model
    reference = sys.stdin.readline().strip() if subject == "-" else subject
    if not reference:
        raise InvalidOption("subject: the reference is empty.")
    return "subject", reference
