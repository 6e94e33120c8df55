"""The Merkle tree over the entries: roots of whole subtrees are kept, so that no proof has to read the whole ledger.

An append does not touch it: it is brought up to date many entries at a time, and computed from the entries alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from explainer.durable import DurableFile
from explainer.errors import StorageFailed
from explainer.ledger.merkle import EMPTY, Growing, Subtree, leaf, node

LOWEST = 8  # height of the smallest subtrees that are kept; below it the entries themselves are read
AT_ONCE = 16  # of these subtrees that are hashed before they are written
SCHEMA = """
CREATE TABLE IF NOT EXISTS tree (
  height INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL)
"""
KEPT = "SELECT hash FROM tree WHERE height = ? AND place = ?"
KEEP = "INSERT OR IGNORE INTO tree (height, place, hash) VALUES (?, ?, ?)"
ENTRIES = "SELECT number, written FROM entries WHERE number > ? AND number <= ? ORDER BY number"


def fill(file: DurableFile) -> None:
    """Hash what was appended since, outside of any transaction: nobody waits for it but to write the few roots."""
    while rows := _next_roots(file):
        file.write(lambda connection, rows=rows: _keep(connection, rows))  # type: ignore[misc]


def subtrees(connection: sqlite3.Connection) -> Subtree:
    """Roots by height and place, kept or computed. Raises StorageFailed when entries are missing."""

    def at(height: int, place: int) -> bytes:
        if height < LOWEST:
            return _hashed(connection, place << height, 1 << height)
        kept = connection.execute(KEPT, (height, place)).fetchone()
        if kept is not None:
            return bytes(kept[0])
        if height == LOWEST:
            return _hashed(connection, place << height, 1 << height)
        return node(at(height - 1, 2 * place), at(height - 1, 2 * place + 1))

    return at


class Compared:
    """A growing tree that holds what is kept against the leaves as they come; `differs` is the first entry of a subtree
    whose root is kept otherwise."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._below = Growing()
        self._whole: list[bytes] = []
        self._place = 0
        self.differs: int | None = None

    def add(self, hashed: bytes) -> None:
        """Take in a leaf's hash."""
        self._below.add(hashed)
        if self._below.size == 1 << LOWEST:
            found, self._below = self._below.root(), Growing()
            self._take(found)

    def root(self) -> bytes:
        roots = [*self._whole, *([self._below.root()] if self._below.size else [])]
        if not roots:
            return EMPTY
        found = roots.pop()
        while roots:
            found = node(roots.pop(), found)
        return found

    def _take(self, found: bytes) -> None:
        height, place = LOWEST, self._place
        self._place += 1
        while True:
            kept = self._connection.execute(KEPT, (height, place)).fetchone()
            if kept is not None and kept[0] != found and self.differs is None:
                self.differs = (place << height) + 1
            if not place & 1:
                self._whole.append(found)
                return
            found, height, place = node(self._whole.pop(), found), height + 1, place >> 1


def _next_roots(file: DurableFile) -> list[tuple[int, int, bytes]]:
    with file.reading() as connection:
        (first,) = connection.execute(
            "SELECT COALESCE(MAX(place) + 1, 0) FROM tree WHERE height = ?", (LOWEST,)
        ).fetchone()
        (last,) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM entries").fetchone()
        places = range(first, min(last >> LOWEST, first + AT_ONCE))
        return [(LOWEST, place, _hashed(connection, place << LOWEST, 1 << LOWEST)) for place in places]


def _keep(connection: sqlite3.Connection, rows: Sequence[tuple[int, int, bytes]]) -> None:
    for row in rows:
        connection.executemany(KEEP, [row, *_above(connection, row)])


def _above(connection: sqlite3.Connection, row: tuple[int, int, bytes]) -> Iterator[tuple[int, int, bytes]]:
    """The larger subtrees that this one makes whole."""
    at = subtrees(connection)
    height, place, found = row
    while place & 1:
        found = node(at(height, place - 1), found)
        height, place = height + 1, place >> 1
        yield height, place, found


def _hashed(connection: sqlite3.Connection, start: int, count: int) -> bytes:
    growing = Growing()
    for number, written in connection.execute(ENTRIES, (start, start + count)):
        if number != start + growing.size + 1 or not isinstance(written, bytes):
            break
        growing.add(leaf(written))
    if growing.size != count:
        raise StorageFailed(f"Ledger entry {start + growing.size + 1} is missing: run `explainer ledger verify`.")
    return growing.root()
