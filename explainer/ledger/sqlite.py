"""The ledger in one SQLite file that refuses changes and removals; an append returns when it is on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from explainer.durable import DurableFile
from explainer.errors import StorageFailed
from explainer.ledger.chain import GENESIS, Head, Link, Verdict, canonical, seal, verify
from explainer.records import LedgerEntry

PAGE = 2000  # entries read at a time: a long reader would keep SQLite from tidying its log

# What is searched is computed from the sealed bytes themselves, so an index column cannot tell another story.
SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  number INTEGER PRIMARY KEY,
  written BLOB NOT NULL,
  seal BLOB NOT NULL,
  event TEXT AS (json_extract(CAST(written AS TEXT), '$.event')),
  principal TEXT AS (json_extract(CAST(written AS TEXT), '$.principal')),
  outcome TEXT AS (json_extract(CAST(written AS TEXT), '$.outcome')),
  request_id TEXT AS (json_extract(CAST(written AS TEXT), '$.request_id'))
);
CREATE INDEX IF NOT EXISTS by_event ON entries (event, number);
CREATE INDEX IF NOT EXISTS by_principal ON entries (principal, number);
CREATE INDEX IF NOT EXISTS by_request ON entries (request_id);
CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are never changed'); END;
CREATE TRIGGER IF NOT EXISTS no_removal BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are never removed'); END;
CREATE TRIGGER IF NOT EXISTS no_gap BEFORE INSERT ON entries
  WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM entries)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry takes the next number'); END
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry with its number, the time it was handed in (UTC, ISO 8601), and its seal in hexadecimal."""

    number: int
    at: str
    entry: LedgerEntry
    seal: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Exact matches; None lets everything pass."""

    event: str | None = None
    principal: str | None = None
    outcome: str | None = None
    request_id: str | None = None


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """One chain, whatever number of threads and processes append to it. Fails closed: raises StorageFailed."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = _now) -> None:
        self._file = DurableFile(path, SCHEMA)
        self._clock = clock

    def append(self, entry: LedgerEntry) -> int:
        """Return the entry's number once it is on disk; numbers, not times, give the order."""
        written = canonical(entry, self._clock().isoformat(timespec="microseconds"))

        def chain(connection: sqlite3.Connection) -> int:
            last, before = _last(connection)
            connection.execute(
                "INSERT INTO entries (number, written, seal) VALUES (?, ?, ?)",
                (last + 1, written, seal(before, last + 1, written)),
            )
            return last + 1

        return self._file.write(chain)

    def read(self, after: int = 0, limit: int = 100, filters: Filters | None = None) -> list[Recorded]:
        """Return at most `limit` entries numbered above `after`, oldest first."""
        chosen = filters or Filters()
        wanted = {
            "event": chosen.event,
            "principal": chosen.principal,
            "outcome": chosen.outcome,
            "request_id": chosen.request_id,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        where = "".join(f" AND {name} = ?" for name in given)
        query = f"SELECT number, written, seal FROM entries WHERE number > ?{where} ORDER BY number LIMIT ?"  # noqa: S608
        with self._file.reading() as connection:
            rows = connection.execute(query, (after, *given.values(), limit)).fetchall()
        return [_recorded(*row) for row in rows]

    def verify(self, checkpoint: Head | None = None) -> Verdict:
        """Recompute the whole chain in constant memory; see `chain.verify` for what a checkpoint adds."""
        return verify(self._links(), checkpoint)

    def head(self) -> Head:
        """Return the last entry's number and seal (number 0 for an empty ledger)."""
        with self._file.reading() as connection:
            number, last = _last(connection)
        return Head(number, last.hex())

    def backup_to(self, path: Path) -> Verdict:
        """Write a consistent copy to a new file and return what verifying that copy finds."""
        self._file.backup_to(path)
        copy = Ledger(path)
        try:
            return copy.verify()
        finally:
            copy.close()

    def close(self) -> None:
        self._file.close()

    def _links(self) -> Iterator[Link]:
        first = -(2**63)
        while True:
            with self._file.reading() as connection:
                rows = connection.execute(
                    "SELECT number, written, seal FROM entries WHERE number >= ? ORDER BY number LIMIT ?", (first, PAGE)
                ).fetchall()
            if not rows:
                return
            yield from (Link(number, _bytes(written), _bytes(sealed)) for number, written, sealed in rows)
            first = rows[-1][0] + 1


def _last(connection: sqlite3.Connection) -> tuple[int, bytes]:
    row = connection.execute("SELECT number, seal FROM entries ORDER BY number DESC LIMIT 1").fetchone()
    return (0, GENESIS) if row is None else (row[0], row[1])


def _bytes(stored: object) -> bytes:
    return stored if isinstance(stored, bytes) else str(stored).encode()


def _recorded(number: int, written: bytes, sealed: bytes) -> Recorded:
    try:
        record = orjson.loads(written)
    except orjson.JSONDecodeError as error:
        raise StorageFailed(f"Ledger entry {number} is damaged: run `explainer ledger verify`.") from error
    entry = LedgerEntry(record["event"], record["principal"], record["outcome"], record["request_id"], record["body"])
    return Recorded(number, record["at"], entry, sealed.hex())
