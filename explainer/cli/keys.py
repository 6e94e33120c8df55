"""`explainer keys`: API keys of programs."""

from __future__ import annotations

import click

from explainer.cli.rooms import desk
from explainer.usecases import people


@click.group("keys")
def command() -> None:
    """API keys of programs; only a hash of each is stored."""


@command.command("list")
def list_all() -> None:
    """List the keys; the secret part of a key cannot be shown again."""
    with desk() as at:
        for key in people.list_keys(at.rooms, at.caller()):
            state = "revoked" if key.revoked_at else f"expires {key.expires_at[:10]}" if key.expires_at else "no expiry"
            click.echo(f"{key.id:12} {key.name:24} {key.role:16} {','.join(key.models):20} {state}")


@command.command("add")
@click.argument("name")
@click.option("--role", default="application", show_default=True, help="What the program may do")
@click.option("--model", "models", multiple=True, help="Only these models (default: all)")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Until it expires")
def add(name: str, role: str, models: tuple[str, ...], days: int) -> None:
    """Make a key and print it once."""
    with desk() as at:
        text = people.add_key(at.rooms, at.caller(), people.KeyAsk(name, role, models or ("*",), days))
        for model in set(models) - set(at.rooms.registry.names()):
            click.echo(f"Note: there is no model named {model!r} yet.", err=True)
    click.echo(f"Key {text.split('_')[1]} of {name}, shown this once:", err=True)
    click.echo(text)


@command.command("revoke")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End a key at once; KEY_ID is the first column of `explainer keys list`."""
    with desk() as at:
        people.revoke_key(at.rooms, at.caller(), key_id)
    click.echo(f"Revoked {key_id}.")
