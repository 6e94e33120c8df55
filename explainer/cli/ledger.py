"""`explainer ledger`: is the record whole, and what proves it to somebody else?"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click
import orjson

from explainer.cli.rooms import desk
from explainer.errors import InvalidOption, StorageFailed
from explainer.ledger.chain import Verdict
from explainer.ledger.checking import check_proof
from explainer.usecases.ledger import (
    FILE,
    checkpoint_key,
    prove_beginning,
    prove_entry,
    read_checkpoints,
    sign_checkpoint,
    verify_file,
    verify_ledger,
)

NOTES = click.option(
    "--checkpoint", "notes", multiple=True, type=click.Path(path_type=Path), help="A checkpoint that was kept elsewhere"
)
KEY = click.option(
    "--key", type=click.Path(path_type=Path), help="File with the public key (default: ledger.pub beside the ledger)"
)
JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output")


@click.group("ledger")
def command() -> None:
    """The record of every request and change."""


@command.command("verify")
@click.option("--file", type=click.Path(path_type=Path), help="A copy of ledger.db; it is only read, no service needed")
@NOTES
@KEY
@JSON
def verify(file: Path | None, notes: tuple[Path, ...], key: Path | None, as_json: bool) -> None:
    """Recompute chain and tree; status 1 and the first bad entry when they do not hold.

    A tail that was cut and a ledger that was rewritten show themselves against a checkpoint that was kept elsewhere.
    """
    if file is not None:
        public = checkpoint_key(key, file)
        verdict = verify_file(file, read_checkpoints(notes, public), public)
    else:
        with desk() as at:
            public = checkpoint_key(key, at.rooms.settings.var / FILE)
            verdict = verify_ledger(at.rooms, at.caller(), read_checkpoints(notes, public))
    _say(verdict, as_json)
    sys.exit(0 if verdict.ok else 1)


@command.command("checkpoint")
@JSON
def checkpoint(as_json: bool) -> None:
    """Sign the ledger as it is and print the checkpoint; keep it where nobody who can write here can write."""
    with desk() as at:
        signed = sign_checkpoint(at.rooms, at.caller())
    if as_json:
        click.echo(orjson.dumps(signed).decode())
    else:
        click.echo(signed.note, nl=False)
        click.echo(f"It is checked with the key {signed.key}", err=True)


@command.command("prove")
@click.argument("number", type=click.IntRange(1))
@click.option("--size", type=click.IntRange(1), help="In the tree of how many entries (default: all)")
def prove(number: int, size: int | None) -> None:
    """Print an entry as JSON, with the proof that it is in the ledger."""
    with desk() as at:
        click.echo(orjson.dumps(prove_entry(at.rooms, at.caller(), number, size)).decode())


@command.command("consistency")
@click.argument("first", type=click.IntRange(1))
@click.argument("second", type=click.IntRange(1), required=False)
def consistency(first: int, second: int | None) -> None:
    """Print as JSON the proof that the FIRST entries are as they were in the ledger of SECOND (default: all)."""
    with desk() as at:
        click.echo(orjson.dumps(prove_beginning(at.rooms, at.caller(), first, second)).decode())


@command.command("check")
@click.argument("proof", type=click.Path(path_type=Path))
@NOTES
@click.option("--key", type=click.Path(path_type=Path), required=True, help="File with the ledger's public key")
def check(proof: Path, notes: tuple[Path, ...], key: Path) -> None:
    """Check a PROOF against signed checkpoints, without the ledger; status 1 when it does not hold."""
    try:
        given = orjson.loads(proof.read_bytes())
    except OSError as error:
        raise StorageFailed(f"{proof} could not be read: {error.strerror}.") from error
    except orjson.JSONDecodeError:
        raise InvalidOption(f"proof: {proof} is not JSON.") from None
    holds, sentence = check_proof(given, read_checkpoints(notes, checkpoint_key(key, proof)))
    click.echo(sentence)
    sys.exit(0 if holds else 1)


def _say(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(dataclasses.asdict(verdict)).decode())
        return
    click.echo(verdict.detail)
    click.echo(f"Head, to be kept elsewhere: {verdict.head or 'none, the ledger is empty'}")
    if verdict.root:
        click.echo(f"Root of the tree: {verdict.root}")
