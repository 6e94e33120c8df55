"""`explainer policies`: what each role sees of a model."""

from __future__ import annotations

import click

from explainer.cli.rooms import desk
from explainer.disclosure.levels import Policy
from explainer.usecases import disclosing

DETAILS = click.Choice(["full", "rounded", "reasons", "texts"])
SCORES = click.Choice(["full", "rounded", "none"])


@click.group("policies")
def command() -> None:
    """What each role sees of a model; a change holds from the next request on."""


@command.command("list")
def list_all() -> None:
    """List the policies, from whom something is held back, and how good a clone of the answers would be."""
    with desk() as at:
        shown = disclosing.show_policies(at.rooms, at.caller())
    for chosen in shown.policies:
        by = f"{chosen.changed_by} {chosen.changed_at[:16]}" if chosen.changed_at else "as the program comes"
        click.echo(f"{chosen.role:16} {chosen.model:24} {words(chosen.policy):60} {by}")
    for hold in shown.holds:
        click.echo(f"{hold.principal} {hold.level} for {hold.model} since {hold.since[:16]}: {hold.why}")
    for read in shown.meter:
        agree = "not judged yet" if read.agreement is None else f"a clone would agree {read.agreement:.1%}"
        line = f"{read.whose.principal} {read.whose.model}: {agree} after {read.tally.rows:,} rows"
        click.echo(f"{line} ({read.level})" if read.level else line)


@command.command("set")
@click.argument("role")
@click.option("--model", default="*", show_default=True, help="A model, or * for every one without its own policy")
@click.option("--detail", type=DETAILS, default="full", show_default=True, help="How attributions are shown")
@click.option("--most", type=click.IntRange(1, 10_000), help="At most so many leading features (default: all)")
@click.option("--values/--no-values", default=True, show_default=True, help="Whether the row's values are shown")
@click.option("--prediction", type=SCORES, default="full", show_default=True, help="How the prediction is shown")
def choose(role: str, model: str, detail: str, most: int | None, values: bool, prediction: str) -> None:
    """Choose what ROLE sees: `explainer policies set application --model credit-gbm` shows everything."""
    policy = Policy(values, most, detail, prediction)  # type: ignore[arg-type]
    with desk() as at:
        chosen = disclosing.set_policy(at.rooms, at.caller(), role, model, policy)
        if model != "*" and model not in at.rooms.registry.names():
            click.echo(f"Note: there is no model named {model!r} yet.", err=True)
    click.echo(f"{chosen.role} sees of {chosen.model}: {words(chosen.policy)}.")


@command.command("reset")
@click.argument("role")
@click.option("--model", default="*", show_default=True, help="The model whose policy is dropped")
def reset(role: str, model: str) -> None:
    """Drop what was chosen for ROLE."""
    with desk() as at:
        disclosing.reset_policy(at.rooms, at.caller(), role, model)
    click.echo(f"The policy of {role} for {model} was dropped.")


@command.command("release")
@click.argument("principal")
@click.argument("model")
def release(principal: str, model: str) -> None:
    """Hold nothing of MODEL back from PRINCIPAL any more."""
    with desk() as at:
        disclosing.release(at.rooms, at.caller(), principal, model)
    click.echo(f"{principal} sees of {model} what its role sees.")


def words(policy: Policy) -> str:
    """A policy in a line."""
    many = "all features" if policy.most is None else f"{policy.most} features"
    values = "values" if policy.values else "no values"
    return f"{policy.detail}, {many}, {values}, prediction {policy.prediction}"
