"""`explainer users`: people who may sign in."""

from __future__ import annotations

import secrets
import sys

import click

from explainer.cli.rooms import desk
from explainer.settings import Settings
from explainer.usecases import people


@click.group("users")
def command() -> None:
    """People who may sign in to the pages."""


@command.command("list")
def list_all() -> None:
    """List everyone with role and state."""
    with desk() as at:
        for person in people.list_people(at.rooms, at.caller()):
            state = "disabled" if person.disabled else "enabled"
            click.echo(f"{person.name:24} {person.role:16} {','.join(person.models):20} {state}")


@command.command("add")
@click.argument("name")
@click.option("--role", required=True, help="application, analyst, reviewer, auditor, owner or administrator")
@click.option("--model", "models", multiple=True, help="Only these models (default: all); with --link")
@click.option("--link", is_flag=True, help="Print a one-time link by which the person chooses the password")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one")
def add(name: str, role: str, models: tuple[str, ...], link: bool, password_stdin: bool) -> None:
    """Add a person; a password is made and printed once, unless it comes from standard input or a link is asked for."""
    if link and password_stdin:
        raise click.UsageError("--link and --password-stdin do not go together.")
    if models and not link:
        raise click.UsageError("--model goes together with --link.")
    with desk() as at:
        if link:
            invited = people.invite_person(at.rooms, at.caller(), people.PersonWish(name, role, models or ("*",)))
            click.echo(f"Added {name} as {role}. This link is good once, within 24 hours:")
            click.echo(link_address(at.rooms.settings, invited.link))
            return
        password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(15)
        people.add_person(at.rooms, at.caller(), name, password, role)
    click.echo(f"Added {name} as {role}.")
    if not password_stdin:
        click.echo(f"Password (shown this once): {password}")


@command.command("link")
@click.argument("name")
def link(name: str) -> None:
    """Print a one-time link by which a person chooses a new password."""
    with desk() as at:
        token = people.invite_again(at.rooms, at.caller(), at.rooms.access.people.named(name).id)
        click.echo(link_address(at.rooms.settings, token))


@command.command("role")
@click.argument("name")
@click.argument("role")
@click.option("--model", "models", multiple=True, help="Only these models (default: all)")
def role(name: str, role: str, models: tuple[str, ...]) -> None:
    """Give a person another role and other models; all their sessions end."""
    with desk() as at:
        person = at.rooms.access.people.named(name)
        people.change_role(at.rooms, at.caller(), person.id, role, models or ("*",))
    click.echo(f"{name} is {role} from the next sign-in on.")


@command.command("forget-factors")
@click.argument("name")
def forget_factors(name: str) -> None:
    """Take away second factors that a person lost; they set up new ones at the next sign-in."""
    with desk() as at:
        people.forget_factors(at.rooms, at.caller(), at.rooms.access.people.named(name).id)
    click.echo(f"{name} sets up a second factor at the next sign-in.")


@command.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Keep a person from signing in, and end their sessions."""
    with desk() as at:
        people.set_state(at.rooms, at.caller(), at.rooms.access.people.named(name).id, disabled=True)
    click.echo(f"{name} can no longer sign in.")


def link_address(settings: Settings, token: str) -> str:
    """The address of a one-time link, as far as it is known from the settings."""
    host = "localhost" if settings.host in {"127.0.0.1", "::1"} else settings.host
    scheme = "https" if settings.tls_certificate is not None else "http"
    return f"{(settings.public_url or f'{scheme}://{host}:{settings.port}').rstrip('/')}/invitation/{token}"
