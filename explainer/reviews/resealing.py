"""Brings decisions and verdicts that stand in the clear under the keys of the file, while others go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from explainer.durable import DurableFile
from explainer.reviews.covering import Covers, owner_of
from explainer.reviews.layout import FACTS
from explainer.reviews.store import PARTICULARS, WORDS, checksum

AT_ONCE = 100  # records of one transaction: others wait for it
CLEAR_CASES = (
    f"SELECT {FACTS}, external, subject, sealed FROM decisions "  # noqa: S608
    f"WHERE key IS NULL AND sealed IS NOT NULL AND id > ? ORDER BY id LIMIT {AT_ONCE}"
)
CLEAR_WORDS = (
    "SELECT verdicts.decision, number, verdicts.sealed, subject FROM verdicts "  # noqa: S608
    "JOIN decisions ON decisions.id = verdicts.decision "
    f"WHERE verdicts.key IS NULL AND verdicts.sealed IS NOT NULL LIMIT {AT_ONCE}"
)


def reseal(file: DurableFile, covers: Covers) -> int:
    """Seal all of them, some at a time; returns how many. Cut short, the next call goes on. Raises KeyMissing."""
    sealed, after = 0, ""
    while (step := file.write(lambda c, after=after: _cases(c, covers, after)))[0]:  # type: ignore[misc]
        after, sealed = step[0], sealed + step[1]
    while some := file.write(lambda c: _words(c, covers)):
        sealed += some
    return sealed


def _cases(connection: sqlite3.Connection, covers: Covers, after: str) -> tuple[str, int]:
    connection.execute("PRAGMA secure_delete=ON")
    rows: Sequence[Any] = connection.execute(CLEAR_CASES, (after,)).fetchall()
    for *facts, external, subject, plain in rows:
        decision = facts[0]
        sealed, key = covers.cover_bytes(connection, owner_of(decision, subject), plain, (PARTICULARS, decision))
        check = checksum((*facts, external, subject, sealed))
        change = "UPDATE decisions SET sealed = ?, key = ?, checksum = ? WHERE id = ?"
        connection.execute(change, (sealed, key, check, decision))
    return (rows[-1][0] if rows else ""), len(rows)


def _words(connection: sqlite3.Connection, covers: Covers) -> int:
    connection.execute("PRAGMA secure_delete=ON")
    rows = connection.execute(CLEAR_WORDS).fetchall()
    for decision, number, plain, subject in rows:
        place = (WORDS, decision, str(number))
        sealed, key = covers.cover_bytes(connection, owner_of(decision, subject), plain, place)
        change = "UPDATE verdicts SET sealed = ?, key = ? WHERE decision = ? AND number = ?"
        connection.execute(change, (sealed, key, decision, number))
    return len(rows)
