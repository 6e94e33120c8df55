"""`explainer models`: what is registered, taking a version out of service, signing a folder."""

from __future__ import annotations

import json
from pathlib import Path

import click

from explainer.api.render import model_line, model_page
from explainer.cli.rooms import desk
from explainer.errors import InvalidOption
from explainer.registry.approval import pending
from explainer.registry.signature import generate, sign
from explainer.usecases.models import list_models, show_model
from explainer.usecases.register import retire


@click.group("models", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the registered versions, or run one of the commands below."""
    if ctx.invoked_subcommand is not None:
        return
    with desk() as at:
        lines = [{**model_line(v), "pending": pending(v)} for v in list_models(at.rooms, at.caller())]
    if as_json:
        click.echo(json.dumps(lines))
        return
    for line in lines:
        state = f"retired {line['retired_at'][:10]}" if line["retired_at"] else "current"
        state = "awaits approval" if line["pending"] and not line["retired_at"] else state
        name = f"{line['name']:24} {line['version']:10} {line['task']:15} {line['format']:15}"
        click.echo(f"{name} {state:20} {line['digest'][:12]}")
    if not lines:
        click.echo("No model is registered yet: explainer register PATH")


@command.command("show")
@click.argument("name")
@click.option("--version", help="A version other than the current one")
def show(name: str, version: str | None) -> None:
    """Print a model's schema, background and card as JSON."""
    with desk() as at:
        click.echo(json.dumps(model_page(show_model(at.rooms, at.caller(), name, version)), indent=2))


@command.command("retire")
@click.argument("name")
@click.argument("version")
def retire_version(name: str, version: str) -> None:
    """Take a version out of service; receipts and ledger entries stay."""
    with desk() as at:
        retire(at.rooms, at.caller(), name, version)
    click.echo(f"Retired {name} version {version}.")


@command.command("keygen")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def keygen(path: Path) -> None:
    """Make an Ed25519 key pair: PATH (private, keep it) and PATH.pub (put it into EXPLAINER_TRUSTED_KEYS)."""
    try:
        generate(path)
    except OSError as error:
        raise InvalidOption(f"path: {error.filename} could not be written: {error.strerror}.") from error
    click.echo(f"Wrote {path} and {path}.pub.")


@command.command("sign")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Private key")
def sign_folder(folder: Path, key: Path) -> None:
    """Sign the manifest of a model folder, so that formats that run code on load may be registered."""
    sign(folder, key)
    click.echo(f"Signed {folder / 'manifest.toml'}.")
