"""How long decided cases are kept; then what tells of a person goes, and that there was a case stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from explainer.durable import DurableFile, Job
from explainer.reviews.covering import owner_of
from explainer.reviews.store import empty_case

SCHEMA = "CREATE TABLE IF NOT EXISTS review_periods (model TEXT PRIMARY KEY, days INTEGER NOT NULL)"
OF_MODEL = "(model = ?1 OR (?1 = '*' AND model NOT IN (SELECT model FROM review_periods)))"
DUE = "waiting = 0 AND status <> 'erased' AND decided_at < ?2 AND " + OF_MODEL
OLDEST = f"SELECT id, model, subject FROM decisions WHERE {DUE} ORDER BY id"  # noqa: S608
LAST_OF = "SELECT 1 FROM decisions WHERE subject = ? LIMIT 1"

Held = Callable[[sqlite3.Connection, str, bytes | None], bool]


class ReviewRetention:
    """Periods in days by model, `*` for every other; whoever has none is kept for ever. Raises StorageFailed.

    `held` says in a transaction whether a model, or a subject by its mark, is under a hold.
    """

    def __init__(self, file: DurableFile, held: Held) -> None:
        self._file, self._held = file, held
        file.add(SCHEMA)

    def periods(self) -> dict[str, int]:
        with self._file.reading() as connection:
            return dict(connection.execute("SELECT model, days FROM review_periods ORDER BY model").fetchall())

    def keep_for(self, model: str, days: int | None) -> Job[None]:
        """A job that sets a model's period; None: for ever."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM review_periods WHERE model = ?", (model,))
            if days is not None:
                connection.execute("INSERT INTO review_periods VALUES (?, ?)", (model, days))

        return change

    def due(self, model: str, before: datetime) -> int:
        """How many cases that were decided before a moment a sweep would empty."""
        with self._file.reading() as connection:
            return sum(1 for _ in self._free(connection, model, before))

    def emptying(self, model: str, before: datetime, most: int) -> Job[None]:
        """A job that empties the oldest ones that are due in the moment of its transaction, `most` at once."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA secure_delete=ON")
            found = self._free(connection, model, before)[:most]
            for decision_id, _ in found:
                empty_case(connection, decision_id)
            gone = [owner_of(decision_id, None) for decision_id, _ in found]
            gone += [
                owner_of("", mark)
                for mark in {mark for _, mark in found if mark is not None}
                if connection.execute(LAST_OF, (mark,)).fetchone() is None
            ]
            connection.executemany("DELETE FROM receipt_keys WHERE owner = ?", [(owner,) for owner in gone])

        return change

    def _free(self, connection: sqlite3.Connection, model: str, before: datetime) -> list[tuple[str, bytes | None]]:
        rows = connection.execute(OLDEST, (model, before.isoformat(timespec="seconds"))).fetchall()
        return [(i, mark) for i, name, mark in rows if not self._held(connection, name, mark)]
