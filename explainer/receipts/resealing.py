"""Brings receipts under the first master key, sealing and wrapping anew, while others go on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from explainer.errors import KeyMissing
from explainer.receipts.removing import overwriting
from explainer.receipts.seals import Seals
from explainer.receipts.store import KEEP_BACKGROUND, ReceiptStore
from explainer.receipts.written import COLUMNS, checksum
from explainer.records import BackgroundRows

AT_ONCE = 100  # records of one transaction: others wait for it
CLEAR = f"SELECT {COLUMNS}, checksum, subject FROM receipts WHERE key IS NULL AND id > ? ORDER BY id LIMIT {AT_ONCE}"  # noqa: S608
SEAL = """
UPDATE receipts SET options = ?, row = ?, answer = ?, answer_sha256 = ?, checksum = ?, key = ?, content = ?,
  background = ? WHERE id = ?
"""
LEFT = "DELETE FROM backgrounds WHERE NOT EXISTS (SELECT 1 FROM receipt_keys WHERE owner = CAST(digest AS BLOB))"


@dataclass(frozen=True, slots=True)
class State:
    """How many receipts stand in the clear, and how many of all keys an older master key wraps."""

    receipts: int
    clear: int
    keys: int
    outdated: int


@dataclass(frozen=True, slots=True)
class Resealed:
    """`damaged` receipts are left as they are."""

    sealed: int
    rewrapped: int
    damaged: int


def state(store: ReceiptStore) -> State:
    """What `reseal` would have to do."""
    seals = store.seals
    with store.file.reading() as connection:
        receipts, clear = connection.execute("SELECT COUNT(*), COUNT(*) - COUNT(key) FROM receipts").fetchone()
        (keys,) = connection.execute("SELECT COUNT(*) FROM receipt_keys").fetchone()
        outdated = 0
        if seals.masters is not None:
            outdated = sum(
                not seals.masters.is_current(wrapped)
                for (wrapped,) in connection.execute("SELECT wrapped FROM receipt_keys")
            )
    return State(receipts, clear, keys, outdated)


def reseal(store: ReceiptStore) -> Resealed:
    """Do all that is to be done, some at a time; cut short, the next call goes on.

    Raises KeyMissing without a master key, or when a key is wrapped by one that was not given.
    """
    file, seals = store.file, store.seals
    if seals.masters is None:
        raise KeyMissing("No master key is set, so nothing can be sealed: see EXPLAINER_MASTER_KEY_FILE.")
    seals.background_name("")  # the secret is known before a transaction needs it
    file.write(seals.rewrap_secret)
    last, rewrapped = 0, 0
    while (step := file.write(lambda c, after=last: seals.rewrap(c, after, AT_ONCE)))[0]:  # type: ignore[misc]
        last, rewrapped = step[0], rewrapped + step[1]
    sealed = damaged = 0
    after = ""
    while True:
        some = file.write(lambda c, after=after: _seal_some(c, seals, after))  # type: ignore[misc]
        if not some[0]:
            break
        after, sealed, damaged = some[0], sealed + some[1], damaged + some[2]
    if sealed and not damaged:
        file.write(lambda connection: connection.execute(LEFT))
    return Resealed(sealed, rewrapped, damaged)


def _seal_some(connection: sqlite3.Connection, seals: Seals, after: str) -> tuple[str, int, int]:
    overwriting(connection)
    rows = connection.execute(CLEAR, (after,)).fetchall()
    sealed = 0
    for *record, kept, mark in rows:
        if kept != checksum(record):
            continue
        background = _background(connection, seals, record[6])
        *_, options, row, answer, digest, check, key = seals.cover(connection, record, mark)
        content = seals.content(record, mark)
        connection.execute(SEAL, (options, row, answer, digest, check, key, content, background, record[0]))
        sealed += 1
    return (rows[-1][0] if rows else ""), sealed, len(rows) - sealed


def _background(connection: sqlite3.Connection, seals: Seals, options: bytes) -> str | None:
    """Seals the rows that a receipt names as well, and returns under which name."""
    named = "json_extract(CAST(? AS TEXT), '$.background.rows')"
    query = f"SELECT digest, features, data FROM backgrounds WHERE digest = {named}"  # noqa: S608
    found = connection.execute(query, (options,)).fetchone()
    if found is None:
        return None
    covered = seals.cover_background(connection, BackgroundRows(*found))
    connection.execute(KEEP_BACKGROUND, covered)
    return covered[0]
