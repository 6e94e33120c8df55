"""One piece of the input on its way to a worker, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["csv", "jsonl", "arrow"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole records in input order. `first` is the line (or, for Parquet, the row) of the first of them.

    `read` counts the bytes (Parquet: rows) of the whole input up to the end of this chunk. Text is UTF-8; `arrow` is a
    record batch in Arrow's stream format.
    """

    number: int
    file: str
    kind: Kind
    first: int
    records: int
    data: bytes
    header: tuple[str, ...] = ()
    delimiter: str = ","
    read: int = 0


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not explained: where it stands, what is wrong with which field by which rule."""

    file: str
    line: int
    field: str
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk that is finished. `summary` holds JSON values that add up over chunks."""

    number: int
    explained: int
    rejected: int
    skipped: int
    data: bytes
    rejects: tuple[Reject, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
