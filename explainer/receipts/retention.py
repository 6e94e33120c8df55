"""How long receipts are kept, and which are held whatever their age."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from explainer.durable import Job
from explainer.receipts.removing import remove
from explainer.receipts.store import ReceiptStore, new_id

ANY = "*"  # models without a period of their own
AT_ONCE = 200  # receipts of one transaction and one ledger entry: others wait for it
FREE = """
NOT EXISTS (SELECT 1 FROM holds WHERE kind = 'model' AND name = receipts.model)
AND NOT EXISTS (SELECT 1 FROM holds WHERE kind = 'subject' AND name = lower(hex(receipts.subject)))
"""
OF_MODEL = "(model = ?1 OR (?1 = '*' AND model NOT IN (SELECT model FROM periods)))"
DUE = f"SELECT id FROM receipts WHERE id < ?2 AND {OF_MODEL} AND {FREE} ORDER BY id LIMIT ?3"  # noqa: S608
COUNT = f"SELECT COUNT(*) FROM receipts WHERE id < ?2 AND {OF_MODEL} AND {FREE}"  # noqa: S608
HELD = f"SELECT 1 FROM receipts WHERE subject = ?1 AND NOT ({FREE}) LIMIT 1"  # noqa: S608
KEEP_HOLD = "INSERT OR REPLACE INTO holds (kind, name, reason, at) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Hold:
    """A model's name, or a subject's mark in hexadecimal, whose receipts nobody removes until it is released."""

    kind: Literal["model", "subject"]
    name: str
    reason: str
    at: str


class Retention:
    """Periods and holds of one receipt store; changes are jobs that go with a ledger entry. Raises StorageFailed."""

    def __init__(self, store: ReceiptStore) -> None:
        self._file = store.file

    def periods(self) -> dict[str, int]:
        """Days by model; a model that is not named, and has no ANY to go by, is kept for ever."""
        with self._file.reading() as connection:
            return dict(connection.execute("SELECT model, days FROM periods ORDER BY model").fetchall())

    def holds(self) -> list[Hold]:
        with self._file.reading() as connection:
            rows = connection.execute("SELECT kind, name, reason, at FROM holds ORDER BY at, kind, name").fetchall()
        return [Hold(*row) for row in rows]

    def due(self, model: str, before: datetime) -> int:
        """How many receipts from before a moment a sweep would remove."""
        with self._file.reading() as connection:
            return int(connection.execute(COUNT, (model, _first_id(before))).fetchone()[0])

    def keep_for(self, model: str, days: int | None) -> Job[None]:
        """A job that sets a model's period; None: for ever."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM periods WHERE model = ?", (model,))
            if days is not None:
                connection.execute("INSERT INTO periods (model, days) VALUES (?, ?)", (model, days))

        return change

    def hold(self, hold: Hold) -> Job[None]:
        """A job that begins a hold."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(KEEP_HOLD, (hold.kind, hold.name, hold.reason, hold.at))

        return change

    def release(self, hold: Hold) -> Job[None]:
        """A job that ends it."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM holds WHERE kind = ? AND name = ?", (hold.kind, hold.name))

        return change

    def removal(self, model: str, before: datetime) -> Job[None]:
        """A job that removes the oldest AT_ONCE receipts that are due in the moment of its transaction."""

        def change(connection: sqlite3.Connection) -> None:
            rows = connection.execute(DUE, (model, _first_id(before), AT_ONCE)).fetchall()
            remove(connection, [receipt_id for (receipt_id,) in rows])

        return change


def is_held(connection: sqlite3.Connection, mark: bytes) -> bool:
    """Whether any receipt of the subject is under a hold."""
    return connection.execute(HELD, (mark,)).fetchone() is not None


def under_hold(connection: sqlite3.Connection, model: str, mark: bytes | None) -> bool:
    """Whether a model, or a subject by its mark, is under a hold."""
    names = [("model", model), *([] if mark is None else [("subject", mark.hex())])]
    query = "SELECT 1 FROM holds WHERE kind = ? AND name = ?"
    return any(connection.execute(query, name).fetchone() is not None for name in names)


def _first_id(moment: datetime) -> str:
    """Ids begin with their millisecond, so everything older sorts before; the random part is cut off."""
    return new_id(moment.timestamp())[:14]
