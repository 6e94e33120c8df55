"""`explainer keys`: API keys of programs."""

from __future__ import annotations

import click

from explainer.access.keys import ApiKey
from explainer.cli.rooms import desk
from explainer.usecases import keys


@click.group("keys")
def command() -> None:
    """API keys of programs; only a hash of each is stored."""


@command.command("list")
def list_all() -> None:
    """List the keys; the secret part of a key cannot be shown again."""
    with desk() as at:
        for key in keys.list_keys(at.rooms, at.caller()):
            used = f"used {key.last_used_at[:16].replace('T', ' ')}" if key.last_used_at else "never used"
            click.echo(f"{key.id:12} {key.name:24} {key.role:16} {','.join(key.models):20} {_state(key)}, {used}")


@command.command("add")
@click.argument("name")
@click.option("--role", default="application", show_default=True, help="What the program may do")
@click.option("--model", "models", multiple=True, help="Only these models (default: all)")
@click.option("--scope", "scopes", multiple=True, help="Only these permissions of the role (default: all)")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Until it expires")
def add(name: str, role: str, models: tuple[str, ...], scopes: tuple[str, ...], days: int) -> None:
    """Make a key and print it once."""
    with desk() as at:
        issued = keys.add_key(at.rooms, at.caller(), keys.KeyAsk(name, role, models or ("*",), days, scopes or None))
        for model in set(models) - set(at.rooms.registry.names()):
            click.echo(f"Note: there is no model named {model!r} yet.", err=True)
    _show(issued, f"Key {issued.key.id} of {name}, shown this once:")


@command.command("rotate")
@click.argument("key_id")
@click.option(
    "--overlap-hours", type=click.IntRange(0, 720), default=24, show_default=True, help="How long the old key works on"
)
def rotate(key_id: str, overlap_hours: int) -> None:
    """Make a new key for the same program and print it once; the old one works on for a while."""
    with desk() as at:
        issued = keys.rotate_key(at.rooms, at.caller(), key_id, overlap_hours)
        old = keys.show_key(at.rooms, at.caller(), key_id)
    _show(issued, f"Key {issued.key.id} takes the place of {key_id}, which {_state(old)}; shown this once:")


@command.command("revoke")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End a key at once; KEY_ID is the first column of `explainer keys list`."""
    with desk() as at:
        keys.revoke_key(at.rooms, at.caller(), key_id)
    click.echo(f"Revoked {key_id}.")


def _show(issued: keys.Issued, line: str) -> None:
    click.echo(line, err=True)
    click.echo(issued.text)


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return f"expires {key.expires_at[:16].replace('T', ' ')}" if key.expires_at else "has no expiry"
