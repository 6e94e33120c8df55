"""The ledger in one SQLite file that refuses changes and removals; an append returns when it is on disk."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from explainer.durable import DurableFile, Job
from explainer.errors import StorageFailed
from explainer.ledger.chain import GENESIS, Head, Verdict, canonical, seal
from explainer.ledger.copies import key_beside
from explainer.ledger.examining import Against, examine
from explainer.ledger.layout import open_file
from explainer.ledger.notes import Checkpoint
from explainer.ledger.proving import Proofs
from explainer.ledger.search import Filters, fill, find
from explainer.ledger.strangers import Strangers
from explainer.records import LedgerEntry

__all__ = ["Filters", "Ledger", "Recorded", "open_file"]

log = logging.getLogger(__name__)

FILLED_EVERY = 1000  # entries, so that no search and no proof has to wait for many


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry with its number, the time it was handed in (UTC, ISO 8601), and its seal in hexadecimal."""

    number: int
    at: str
    entry: LedgerEntry
    seal: str


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """One chain, whatever number of threads and processes append to it. Fails closed: raises StorageFailed."""

    def __init__(self, at: Path | DurableFile, *, clock: Callable[[], datetime] = _now) -> None:
        """Append to the file at a path, or to one that was opened by `open_file` and is shared with other rooms."""
        self._file = open_file(at) if isinstance(at, Path) else at
        self._clock = clock
        self.strangers = Strangers(self.append)
        self.proofs = Proofs(self._file)

    def append(self, entry: LedgerEntry, beside: Sequence[Job[Any]] = ()) -> int:
        """Return the entry's number once it is on disk; numbers, not times, give the order.

        The jobs of `beside` write to the same file in the same transaction: all of it is kept, or nothing. What a job
        raises comes out here.
        """
        written = canonical(entry, self._clock().isoformat(timespec="microseconds"))

        def chain(connection: sqlite3.Connection) -> int:
            for job in beside:
                job(connection)
            last, before = _last(connection)
            connection.execute(
                "INSERT INTO entries (number, written, seal) VALUES (?, ?, ?)",
                (last + 1, written, seal(before, last + 1, written)),
            )
            return last + 1

        number = self._file.write(chain)
        if number % FILLED_EVERY == 0:
            threading.Thread(target=self._fill, name="ledger-search", daemon=True).start()
        return number

    def read(self, after: int = 0, limit: int = 100, filters: Filters | None = None) -> list[Recorded]:
        """Return at most `limit` entries numbered above `after`, oldest first.

        Raises StorageFailed for an entry that does not say what it was found by.
        """
        wanted = (filters or Filters()).given()
        if wanted:
            fill(self._file)
        with self._file.reading() as connection:
            rows = find(connection, after, limit, wanted) if wanted else _page(connection, after + 1, limit)
        found = [_recorded(*row) for row in rows]
        for one in found:
            if any(getattr(one.entry, name) != value for name, value in wanted.items()):
                raise StorageFailed(f"Ledger entry {one.number} is not what the search table says; run a verification.")
        return found

    def verify(self, checkpoint: Head | None = None, earlier: Sequence[Checkpoint] = ()) -> Verdict:
        """Recompute chain and tree in constant memory; see `chain.verify` for what a head or checkpoints add.

        Checkpoints that are kept in the file, and what searches go by, are held against the sealed bytes on the way.
        """
        return examine(self._file.reading, Against(earlier, checkpoint, key_beside(self._file.path)))

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
        self.strangers.flush()
        self._file.close()

    def _fill(self) -> None:
        try:
            fill(self._file)
        except StorageFailed as error:
            log.warning("the ledger's search table was not filled in, the next search does it: %s", error.detail)
        self.proofs.keep_up()


def _page(connection: sqlite3.Connection, first: int, limit: int) -> list[Any]:
    query = "SELECT number, written, seal FROM entries WHERE number >= ? ORDER BY number LIMIT ?"
    return connection.execute(query, (first, limit)).fetchall()


def _last(connection: sqlite3.Connection) -> tuple[int, bytes]:
    row = connection.execute("SELECT number, seal FROM entries ORDER BY number DESC LIMIT 1").fetchone()
    return (0, GENESIS) if row is None else (row[0], row[1])


def _recorded(number: int, written: bytes, sealed: bytes) -> Recorded:
    try:
        record = orjson.loads(written)
    except orjson.JSONDecodeError as error:
        raise StorageFailed(f"Ledger entry {number} is damaged: run `explainer ledger verify`.") from error
    entry = LedgerEntry(record["event"], record["principal"], record["outcome"], record["request_id"], record["body"])
    return Recorded(number, record["at"], entry, sealed.hex())
