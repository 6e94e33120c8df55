"""Takes receipts out of the file for good: with their keys, and with backgrounds that nobody else needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

# A background is named in the receipts' column, by receipts of earlier versions in their options only.
UNUSED = """
SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM receipts WHERE background = ?1)
AND NOT EXISTS (SELECT 1 FROM receipts WHERE key IS NULL AND background IS NULL AND instr(options, CAST(?1 AS BLOB)))
"""
LAST_OF = "SELECT 1 FROM receipts WHERE subject = ? LIMIT 1"


def overwriting(connection: sqlite3.Connection) -> None:
    """What is removed from now on is overwritten with zeros."""
    connection.execute("PRAGMA secure_delete=ON")


def remove(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    """Remove these receipts, and the key of a subject with the last of its receipts; returns backgrounds removed."""
    overwriting(connection)
    marks, names = set(), set()
    for receipt_id in ids:
        query = "SELECT subject, background FROM receipts WHERE id = ?"
        for mark, name in connection.execute(query, (receipt_id,)).fetchall():
            marks.add(mark)
            names.add(name)
        connection.execute("DELETE FROM receipts WHERE id = ?", (receipt_id,))
    gone = [mark for mark in marks if mark is not None and connection.execute(LAST_OF, (mark,)).fetchone() is None]
    destroy_keys(connection, [*(receipt_id.encode() for receipt_id in ids), *gone])
    return _remove_unused(connection, names - {None})


def destroy_keys(connection: sqlite3.Connection, owners: Iterable[bytes]) -> None:
    """What they sealed is had back by nobody."""
    connection.executemany("DELETE FROM receipt_keys WHERE owner = ?", [(owner,) for owner in owners])


def _remove_unused(connection: sqlite3.Connection, names: Iterable[str]) -> int:
    unused = [name for name in names if connection.execute(UNUSED, (name,)).fetchone()]
    connection.executemany("DELETE FROM backgrounds WHERE digest = ?", [(name,) for name in unused])
    destroy_keys(connection, [name.encode() for name in unused])
    return len(unused)
