"""All that is kept of one subject: found by its mark, and erased together with its key."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from explainer.durable import Job
from explainer.errors import Conflict, StorageFailed
from explainer.receipts.removing import destroy_keys, remove
from explainer.receipts.retention import is_held
from explainer.receipts.store import ReceiptStore
from explainer.receipts.written import COLUMNS
from explainer.records import Receipt

OF_SUBJECT = f"SELECT {COLUMNS}, checksum, key FROM receipts WHERE subject = ? ORDER BY id"  # noqa: S608
IDS = "SELECT id FROM receipts WHERE subject = ?"
ERASED = "SELECT mark, at FROM erased ORDER BY at, mark"
HELD = "This subject has receipts under a hold: release it first (`explainer retention release`)."
PATIENCE_S = 5.0
MARK_BYTES = 32


@dataclass(frozen=True, slots=True)
class Erased:
    """How many receipts, and backgrounds that only they needed, are gone."""

    receipts: int
    backgrounds: int


class Subjects:
    """Works on the file of a receipt store; a subject is told by its `mark`, see `Seals.mark`."""

    def __init__(self, store: ReceiptStore) -> None:
        self._store = store
        self._file = store.file

    def receipts(self, mark: bytes) -> list[Receipt]:
        """Everything answered about a subject, oldest first. Raises StorageFailed."""
        with self._file.reading() as connection:
            rows = connection.execute(OF_SUBJECT, (mark,)).fetchall()
        return [self._store.read(row) for row in rows]

    def readable(self, mark: bytes) -> tuple[list[Receipt], int]:
        """Those of them that can be read, and how many cannot: damaged, or sealed by a key that is missing."""
        with self._file.reading() as connection:
            rows = connection.execute(OF_SUBJECT, (mark,)).fetchall()
        found = []
        for row in rows:
            with suppress(StorageFailed):
                found.append(self._store.read(row))
        return found, len(rows) - len(found)

    def count(self, mark: bytes) -> int:
        with self._file.reading() as connection:
            query = "SELECT COUNT(*) FROM receipts WHERE subject = ?"
            return int(connection.execute(query, (mark,)).fetchone()[0])

    def check_free(self, mark: bytes) -> None:
        """Raises Conflict for a subject with receipts under a hold."""
        with self._file.reading() as connection:
            held = is_held(connection, mark)
        if held:
            raise Conflict(HELD)

    def erasure(self, mark: bytes, at: str, *, held_too: bool = False) -> Job[Erased]:
        """A job that removes the subject's receipts, destroys its key, and keeps its mark in the list of the erased.

        What is removed is overwritten in the file; `wipe` empties the log of what was written before. The job raises
        Conflict for a subject with receipts under a hold, unless they are erased all the same.
        """

        def erase(connection: sqlite3.Connection) -> Erased:
            if not held_too and is_held(connection, mark):
                raise Conflict(HELD)
            ids = [receipt_id for (receipt_id,) in connection.execute(IDS, (mark,))]
            backgrounds = remove(connection, ids)
            destroy_keys(connection, [mark])
            connection.execute("INSERT OR REPLACE INTO erased (mark, at) VALUES (?, ?)", (mark, at))
            return Erased(len(ids), backgrounds)

        return erase

    def erased(self) -> list[tuple[bytes, str]]:
        """Marks of the erased subjects and when they were, oldest first: to be erased again in a restored copy."""
        with self._file.reading() as connection:
            return connection.execute(ERASED).fetchall()

    def wipe(self) -> bool:
        """Empty the file's log; False when others kept it busy for some seconds."""
        until = time.monotonic() + PATIENCE_S
        while True:
            with self._file.reading() as connection:
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy or time.monotonic() > until:
                return not busy
            time.sleep(0.05)


def list_of(erased: Sequence[tuple[bytes, str]]) -> str:
    """One line for each: `marks_of` reads it."""
    return "".join(f"{mark.hex()} {at}\n" for mark, at in erased)


def erased_in(copy: Path) -> str:
    """The list in a copy of the file, which is only read. Raises StorageFailed."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(copy.absolute()))}?mode=ro", uri=True)) as connection:
            return list_of(connection.execute(ERASED).fetchall())
    except sqlite3.Error as error:
        raise StorageFailed(f"The list of erased subjects in {copy} could not be read: {error}.") from error


def marks_of(lines: Sequence[str]) -> list[bytes]:
    """The marks in a list of the erased: the first word of each line, in hexadecimal. Raises ValueError."""
    marks = [bytes.fromhex(line.split()[0]) for line in lines if line.strip()]
    if any(len(mark) != MARK_BYTES for mark in marks):
        raise ValueError("a mark has 64 hexadecimal digits")
    return marks
