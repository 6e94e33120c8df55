"""`explainer subjects`: all that is kept of one person."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from explainer.cli.rooms import desk
from explainer.errors import InvalidOption, StorageFailed
from explainer.usecases import subjects


@click.group("subjects")
def command() -> None:
    """People whom explained rows are about, by the `subject` that came with the request."""


@command.command("show")
@click.argument("subject")
def show(subject: str) -> None:
    """Print as JSON every receipt about SUBJECT; `-` reads the reference from standard input."""
    with desk() as at:
        found = subjects.show_subject(at.rooms, at.caller(), _reference(subject))
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@command.command("erase")
@click.argument("subject")
@click.option("--dry-run", is_flag=True, help="Only say how many receipts would go")
def erase(subject: str, dry_run: bool) -> None:
    """Remove every receipt about SUBJECT and destroy its key, for good; `-` reads the reference from standard input."""
    with desk() as at:
        if dry_run:
            count = subjects.count_subject(at.rooms, at.caller(), _reference(subject))
            click.echo(f"{count} receipts would be erased.")
            return
        _say([subjects.erase_subject(at.rooms, at.caller(), _reference(subject))])


@command.command("erased")
def erased() -> None:
    """Print the list of erased subjects, to be applied again when an older backup is restored."""
    with desk() as at:
        click.echo(subjects.list_erased(at.rooms, at.caller()), nl=False)


@command.command("erase-again")
@click.argument("list_file", metavar="LIST", type=click.Path(path_type=Path))
def erase_again(list_file: Path) -> None:
    """Erase everybody in LIST, as `explainer subjects erased` or a later backup's erased.txt has it."""
    try:
        lines = list_file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed(f"{list_file} could not be read: {error}.") from error
    with desk() as at:
        _say(subjects.erase_again(at.rooms, at.caller(), lines))


def _reference(given: str) -> str:
    """A reference on the command line is seen in the list of processes; standard input is not."""
    reference = sys.stdin.readline().strip() if given == "-" else given
    if not reference:
        raise InvalidOption("subject: the reference is empty.")
    return reference


def _say(done: list[subjects.Erasure]) -> None:
    click.echo(f"Erased {sum(one.receipts for one in done)} receipts of {len(done)} subjects.")
    if not all(one.log_emptied for one in done):
        click.echo("The file's log could not be emptied, others were reading: run this again.", err=True)
        sys.exit(1)
