"""Rows of a file in batches, with the lines they came from; bad rows are set aside, not fatal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explainer.errors import Problem
from explainer.records import Feature
from explainer.registry.tables import Line, read_table

BATCH = 200


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that does not fit the schema, and everything that is wrong with it."""

    line: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Good rows as objects of JSON values, `lines[i]` being the line of `rows[i]`, and the bad ones among them."""

    lines: tuple[int, ...]
    rows: tuple[dict[str, Any], ...]
    rejected: tuple[Rejected, ...]


def read_batches(
    path: Path, features: tuple[Feature, ...], *, size: int = BATCH, ignored: Sequence[str] = ()
) -> Iterator[Batch]:
    """Yield the rows of a CSV, JSONL or Parquet file, `size` lines at a time; the whole file is never in memory.

    Columns that are no features are refused unless `ignored` names them. Raises NotFound when the file is not
    there, InvalidRows when it cannot be read as a whole.
    """
    lines: list[Line] = []
    for line in read_table(path, features, ignored):
        lines.append(line)
        if len(lines) == size:
            yield _batch(lines)
            lines = []
    if lines:
        yield _batch(lines)


def _batch(lines: Sequence[Line]) -> Batch:
    good = [line for line in lines if not line.problems]
    return Batch(
        lines=tuple(line.number for line in good),
        rows=tuple(line.row for line in good),
        rejected=tuple(Rejected(line.number, line.problems) for line in lines if line.problems),
    )
