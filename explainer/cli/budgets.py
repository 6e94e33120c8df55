"""`explainer budgets`: how much of a model a role or a principal may ask for."""

from __future__ import annotations

import click

from explainer.access.budgets import Limits
from explainer.cli.rooms import desk
from explainer.usecases import budgets

AMOUNT = click.IntRange(0, 2**53 - 1)


@click.group("budgets")
def command() -> None:
    """How much of a model may be asked for; a change holds from the next request on."""


@command.command("list")
def list_all() -> None:
    """List the budgets; who is not named has none."""
    with desk() as at:
        found = budgets.show_budgets(at.rooms, at.caller())
    for granted in found:
        by = f"{granted.changed_by} {granted.changed_at[:16]}" if granted.changed_at else "as the program comes"
        click.echo(f"{granted.whom:16} {granted.model:24} {words(granted.limits)}  ({by})")


@command.command("set")
@click.argument("whom")
@click.option("--model", default="*", show_default=True, help="A model, or * for every one without its own budget")
@click.option("--rows-minute", type=AMOUNT, help="Rows in a minute")
@click.option("--rows-day", type=AMOUNT, help="Rows in a day (UTC)")
@click.option("--rows-version", type=AMOUNT, help="Rows on one version of the model")
@click.option("--distinct-minute", type=AMOUNT, help="Distinct rows in a minute")
@click.option("--distinct-day", type=AMOUNT, help="Distinct rows in a day")
@click.option("--distinct-version", type=AMOUNT, help="Distinct rows on one version")
@click.option("--evaluations-minute", type=AMOUNT, help="Model evaluations in a minute")
@click.option("--evaluations-day", type=AMOUNT, help="Model evaluations in a day")
@click.option("--evaluations-version", type=AMOUNT, help="Model evaluations on one version")
def choose(whom: str, model: str, **amounts: int | None) -> None:
    """Set the budget of WHOM, a role or a principal such as key_abcd2345; what is left out has no bound."""
    with desk() as at:
        granted = budgets.set_budget(at.rooms, at.caller(), whom, model, Limits(**amounts))
    click.echo(f"{granted.whom} may ask of {granted.model}: {words(granted.limits)}.")


@command.command("reset")
@click.argument("whom")
@click.option("--model", default="*", show_default=True, help="The model whose budget is dropped")
def reset(whom: str, model: str) -> None:
    """Drop the budget that was set for WHOM."""
    with desk() as at:
        budgets.reset_budget(at.rooms, at.caller(), whom, model)
    click.echo(f"The budget of {whom} for {model} was dropped.")


def words(limits: Limits) -> str:
    """Limits in a line."""
    given = [f"{name.replace('_', '/')} {value:,}" for name, value in limits.named() if value is not None]
    return ", ".join(given) or "no bound"
