"""Says at the first start how somebody gets in: by a one-time link, since no password comes with the program."""

from __future__ import annotations

import dataclasses

import click

from explainer.cli.rooms import desk
from explainer.cli.users import link_address
from explainer.settings import Settings
from explainer.usecases import people


def say_first_link(settings: Settings, host: str, port: int) -> None:
    """Print a link that makes the first administrator, as long as there is nobody; each start ends the link before."""
    with desk(dataclasses.replace(settings, host=host, port=port)) as at:
        token = people.invite_first(at.rooms, at.caller())
        if token is not None:
            click.echo("\n  Nobody may sign in yet. This link makes the first administrator, once, within 24 hours:")
            click.echo(f"  {link_address(at.rooms.settings, token)}\n")
