"""Carries the rows of a file through a use case, batch by batch, with progress and a list of what was refused."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from explainer.cli.inputs import read_batches
from explainer.cli.outputs import Layout, writing
from explainer.errors import InvalidRows
from explainer.records import Feature

Answers = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
EVERY = 1000  # rows between two plain lines of progress


@dataclass(frozen=True, slots=True)
class Work:
    source: Path
    output: Path | None
    layout: Layout
    features: tuple[Feature, ...]
    ignored: tuple[str, ...] = ()


def carry(work: Work, answers: Answers) -> bool:
    """Answer every good row; say each bad one on standard error; return whether all rows were good."""
    done = refused = 0
    with _written(work) as write, Progress(work.source) as progress:
        for batch in read_batches(work.source, work.features, ignored=work.ignored):
            for bad in batch.rejected:
                refused += 1
                for problem in bad.problems:
                    click.echo(f"{work.source.name}: {problem.where}: {problem.detail}", err=True)
            if batch.rows:
                for item in answers(list(batch.rows)):
                    write({"line": batch.lines[item.get("row", 0)], **item})
            done += len(batch.rows)
            progress.reached(done + refused)
    click.echo(f"{done} rows answered, {refused} refused.", err=True)
    return refused == 0


def whole(source: Path, features: tuple[Feature, ...], ignored: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """All rows of a file that is one question; raises InvalidRows with what is wrong in its first bad batch."""
    rows: list[dict[str, Any]] = []
    for batch in read_batches(source, features, ignored=ignored):
        problems = [problem for bad in batch.rejected for problem in bad.problems]
        if problems:
            raise InvalidRows(f"{source.name}: {problems[0].where}: {problems[0].detail}", problems=problems)
        rows += batch.rows
    return rows


@contextlib.contextmanager
def _written(work: Work) -> Iterator[Callable[[dict[str, Any]], None]]:
    if work.output is None:
        yield lambda answer: click.echo(orjson.dumps(answer).decode())
        return
    with writing(work.output, work.layout) as writer:
        yield writer.write


class Progress:
    """A bar on a terminal, a plain line now and then elsewhere; both on standard error."""

    def __init__(self, source: Path) -> None:
        total = None if source.suffix == ".parquet" else _lines(source)
        self._bar = click.progressbar(length=total, file=sys.stderr) if sys.stderr.isatty() and total else None
        self._reached = 0

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def reached(self, rows: int) -> None:
        if self._bar is not None:
            self._bar.update(rows - self._reached)
        elif rows // EVERY > self._reached // EVERY:
            click.echo(f"{rows} rows read", err=True)
        self._reached = rows


def _lines(source: Path) -> int:
    if not source.is_file():
        return 0
    with source.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
