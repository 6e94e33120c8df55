"""`explainer users`: people who may sign in."""

from __future__ import annotations

import secrets
import sys

import click

from explainer.cli.rooms import desk
from explainer.usecases import people


@click.group("users")
def command() -> None:
    """People who may sign in to the pages."""


@command.command("list")
def list_all() -> None:
    """List everyone with role and state."""
    with desk() as at:
        for person in people.list_people(at.rooms, at.caller()):
            click.echo(f"{person.name:24} {person.role:16} {'disabled' if person.disabled else 'enabled'}")


@command.command("add")
@click.argument("name")
@click.option("--role", required=True, help="application, analyst, reviewer, auditor, owner or administrator")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one")
def add(name: str, role: str, password_stdin: bool) -> None:
    """Add a person; a password is made and printed once, unless it comes from standard input."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(15)
    with desk() as at:
        people.add_person(at.rooms, at.caller(), name, password, role)
    click.echo(f"Added {name} as {role}.")
    if not password_stdin:
        click.echo(f"Password (shown this once): {password}")


@command.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Keep a person from signing in, and end their sessions."""
    with desk() as at:
        people.disable_person(at.rooms, at.caller(), name)
    click.echo(f"{name} can no longer sign in.")
