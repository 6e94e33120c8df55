"""Keeps tallies of all processes as one for each principal and version, and what was concluded from them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from explainer.durable import DurableFile
from explainer.monitoring.extraction import Tally

SCHEMA = """
CREATE TABLE IF NOT EXISTS extraction (
  principal TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL, digest TEXT NOT NULL, xtx BLOB NOT NULL,
  xty BLOB NOT NULL, rows INTEGER NOT NULL, away INTEGER NOT NULL, steps INTEGER NOT NULL, near INTEGER NOT NULL,
  judged INTEGER NOT NULL DEFAULT 0, agreement REAL, level TEXT NOT NULL DEFAULT '', PRIMARY KEY (principal, digest)
)
"""


@dataclass(frozen=True, slots=True)
class Whose:
    """A principal with its role, and the version that it asked."""

    principal: str
    role: str
    model: str
    digest: str


@dataclass(frozen=True, slots=True)
class Read:
    """A reading of the meter: `agreement` is None until it was judged; `level` is the last one that was told."""

    whose: Whose
    tally: Tally
    agreement: float | None
    level: str


class ExtractionStore:
    """Raises StorageFailed when the file cannot be used."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        file.add(SCHEMA)

    def add(self, whose: Whose, more: Tally) -> None:
        key = (whose.principal, whose.digest)

        def merge(connection: sqlite3.Connection) -> None:
            found = connection.execute(
                "SELECT xtx, xty, rows, away, steps, near FROM extraction WHERE principal = ? AND digest = ?", key
            ).fetchone()
            total = Tally(more.xtx.copy(), more.xty.copy(), more.rows, more.foreign, more.steps, more.near)
            if found is None:
                connection.execute(
                    "INSERT INTO extraction (principal, role, model, digest, xtx, xty, rows, away, steps, near) "
                    "VALUES (?,?,?,?,?,?,?,?,?,?)",
                    (whose.principal, whose.role, whose.model, whose.digest, *_written(total)),
                )
                return
            total.add(_tally(found))
            connection.execute(
                "UPDATE extraction SET role = ?, xtx = ?, xty = ?, rows = ?, away = ?, steps = ?, near = ? "
                "WHERE principal = ? AND digest = ?",
                (whose.role, *_written(total), *key),
            )

        self._file.write(merge)

    def unjudged(self) -> list[Read]:
        """Those that were asked since they were judged last."""
        return self._read("WHERE rows > judged")

    def all(self) -> list[Read]:
        return self._read("ORDER BY model, agreement DESC")

    def agreements(self) -> dict[str, float]:
        """The highest agreement of any principal's clone with any version of each model, as judged last."""
        query = "SELECT model, MAX(agreement) FROM extraction WHERE agreement IS NOT NULL GROUP BY model"
        with self._file.reading() as connection:
            return dict(connection.execute(query).fetchall())

    def judge(self, read: Read, agreement: float, level: str) -> None:
        values = (read.tally.rows, agreement, level, read.whose.principal, read.whose.digest)
        self._file.write(
            lambda c: c.execute(
                "UPDATE extraction SET judged = ?, agreement = ?, level = ? WHERE principal = ? AND digest = ?", values
            )
        )

    def _read(self, which: str) -> list[Read]:
        columns = "principal, role, model, digest, agreement, level, xtx, xty, rows, away, steps, near"
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT {columns} FROM extraction {which}").fetchall()  # noqa: S608 - our words
        return [Read(Whose(*row[:4]), _tally(row[6:]), row[4], row[5]) for row in rows]


def _written(tally: Tally) -> tuple[object, ...]:
    return (tally.xtx.tobytes(), tally.xty.tobytes(), tally.rows, tally.foreign, tally.steps, tally.near)


def _tally(row: tuple[bytes, bytes, int, int, int, int]) -> Tally:
    xty = np.frombuffer(row[1])
    return Tally(np.frombuffer(row[0]).reshape(len(xty), len(xty)).copy(), xty.copy(), *row[2:])
