"""Receipts under keys of their own: one for each subject, or for each receipt of nobody in particular.

Every key lies in one row, wrapped by a master key: whoever destroys the row destroys what the key sealed.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections.abc import Sequence
from typing import Any

from explainer.durable import DurableFile
from explainer.errors import KeyMissing, StorageFailed
from explainer.receipts.written import checksum, content_of
from explainer.records import BackgroundRows
from explainer.sealing import DataKey, MasterKeys

SCHEMA = """
CREATE TABLE IF NOT EXISTS receipt_keys (id INTEGER PRIMARY KEY, owner BLOB NOT NULL UNIQUE, wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS receipt_secrets (name TEXT PRIMARY KEY, wrapped BLOB, secret BLOB NOT NULL)
"""
HASHING = "subjects and contents"
HASHING_PLACE = ("receipt secret", HASHING)
HASHING_BYTES = 32
LENGTH = 8
ROW_BYTES = 16
NEW_KEY = "INSERT INTO receipt_keys (owner, wrapped) VALUES (?, ?)"
KEEP_HASHING = "INSERT OR IGNORE INTO receipt_secrets (name, wrapped, secret) VALUES (?, ?, ?)"
CLEAR = 6  # columns that are never sealed: id, created_at, principal, model, version, model_digest


class Seals:
    """Seals and opens records of one file; without master keys it leaves them in the clear, with their checksum."""

    def __init__(self, file: DurableFile, masters: MasterKeys | None) -> None:
        self._file = file
        self.masters = masters
        self._secret: bytes | None = None
        file.add(SCHEMA)

    def mark(self, subject: str) -> bytes:
        """32 bytes that stand for a subject: without the secret of this file nobody can try out who it is."""
        return hmac.digest(self._known_secret(), b"subject " + subject.encode("utf-8", "surrogatepass"), "sha256")

    def content(self, record: Sequence[Any], mark: bytes | None) -> bytes:
        """16 bytes that receipts share which are about the same; keyed, as rows can be guessed."""
        plain = content_of(record)
        if self.masters is None and mark is None:
            return plain
        return hmac.digest(self._known_secret(), b"content " + (mark or b"") + plain, "sha256")[: len(plain)]

    def row_names(self, rows: Sequence[bytes]) -> tuple[bytes, ...]:
        """16 bytes for each row, by which its second time is known; keyed, as rows can be guessed."""
        secret = self._known_secret()
        return tuple(hmac.digest(secret, b"row " + row, "sha256")[:ROW_BYTES] for row in rows)

    def background_name(self, digest: str) -> str:
        """Under which name rows that a request brought are kept sealed."""
        return hmac.digest(self._known_secret(), b"background " + digest.encode(), "sha256").hex()

    def cover(self, connection: sqlite3.Connection, record: Sequence[Any], mark: bytes | None) -> tuple[Any, ...]:
        """The record as it is written: its columns, its checksum, and the number of its key."""
        if self.masters is None:
            return (*record, checksum(record), None)
        number, key = self._key_of(connection, mark or record[0].encode())
        parts = [part.encode() if isinstance(part, str) else part for part in record[CLEAR:]]
        plain = b"".join(len(part).to_bytes(LENGTH, "big") + part for part in parts)
        sealed = key.seal(plain, ("receipt", *record[:CLEAR]))
        return (*record[:CLEAR], b"", b"", sealed, "", b"", number)

    def uncover(self, record: Sequence[Any], number: int) -> tuple[Any, ...]:
        """The record as it was. Raises KeyMissing, SealBroken."""
        found = self._found("SELECT owner, wrapped FROM receipt_keys WHERE id = ?", number)
        if found is None:
            raise KeyMissing(f"Receipt {record[0]} was sealed with a key that was destroyed.")
        key = self._unwrap(found[1], found[0])
        plain = key.open(record[8], ("receipt", *record[:CLEAR]))
        options, row, answer, digest = _parts(plain)
        return (*record[:CLEAR], options, row, answer, digest.decode())

    def cover_background(self, connection: sqlite3.Connection, brought: BackgroundRows) -> tuple[str, int, bytes]:
        """Name, features and data as they are written."""
        if self.masters is None:
            return brought.digest, brought.features, brought.data
        name = self.background_name(brought.digest)
        _, key = self._key_of(connection, name.encode())
        return name, brought.features, key.seal(brought.data, ("background", name))

    def uncover_background(self, name: str, data: bytes) -> bytes:
        """The data as it was. Raises KeyMissing, SealBroken."""
        found = self._found("SELECT wrapped FROM receipt_keys WHERE owner = ?", name.encode())
        if found is None:
            raise KeyMissing("A background was sealed with a key that was destroyed.")
        return self._unwrap(found[0], name.encode()).open(data, ("background", name))

    def cover_bytes(
        self, connection: sqlite3.Connection, owner: bytes, plain: bytes, place: Sequence[str]
    ) -> tuple[bytes, int | None]:
        """What another room keeps in this file, under the key of its `owner`, and the key's number."""
        if self.masters is None:
            return plain, None
        number, key = self._key_of(connection, owner)
        return key.seal(plain, tuple(place)), number

    def uncover_bytes(self, kept: bytes, number: int | None, place: Sequence[str]) -> bytes:
        """What `cover_bytes` was given. Raises KeyMissing, SealBroken."""
        if number is None:
            return kept
        found = self._found("SELECT owner, wrapped FROM receipt_keys WHERE id = ?", number)
        if found is None:
            raise KeyMissing(f"{' '.join(place)} was sealed with a key that was destroyed.")
        return self._unwrap(found[1], found[0]).open(kept, tuple(place))

    def rewrap(self, connection: sqlite3.Connection, after: int, at_once: int) -> tuple[int, int]:
        """Wrap keys numbered above `after` by the first master key; returns the last number seen, and how many."""
        masters = self._needed()
        query = "SELECT id, owner, wrapped FROM receipt_keys WHERE id > ? ORDER BY id LIMIT ?"
        rows = connection.execute(query, (after, at_once)).fetchall()
        old = [row for row in rows if not masters.is_current(row[2])]
        connection.executemany(
            "UPDATE receipt_keys SET wrapped = ? WHERE id = ?",
            [(masters.rewrap(wrapped, ("receipt key", owner)), number) for number, owner, wrapped in old],
        )
        return (rows[-1][0] if rows else 0), len(old)

    def rewrap_secret(self, connection: sqlite3.Connection) -> None:
        """The same for the file's secret, in the clear until now or not."""
        masters = self._needed()
        row = connection.execute("SELECT wrapped, secret FROM receipt_secrets WHERE name = ?", (HASHING,)).fetchone()
        if row is None:
            return
        secret = self._opened(*row)
        key, wrapped = masters.new_key(HASHING_PLACE)
        change = "UPDATE receipt_secrets SET wrapped = ?, secret = ? WHERE name = ?"
        connection.execute(change, (wrapped, key.seal(secret, HASHING_PLACE), HASHING))

    def _found(self, query: str, wanted: object) -> Any:
        with self._file.reading() as connection:
            return connection.execute(query, (wanted,)).fetchone()

    def _key_of(self, connection: sqlite3.Connection, owner: bytes) -> tuple[int, DataKey]:
        found = connection.execute("SELECT id, wrapped FROM receipt_keys WHERE owner = ?", (owner,)).fetchone()
        if found is not None:
            return found[0], self._unwrap(found[1], owner)
        key, wrapped = self._needed().new_key(("receipt key", owner))
        return int(connection.execute(NEW_KEY, (owner, wrapped)).lastrowid or 0), key

    def _unwrap(self, wrapped: bytes, owner: bytes) -> DataKey:
        return self._needed().unwrap(wrapped, ("receipt key", owner))

    def _needed(self) -> MasterKeys:
        if self.masters is None:
            raise KeyMissing("Receipts are sealed here, and no master key is set: see EXPLAINER_MASTER_KEY_FILE.")
        return self.masters

    def _known_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._read_secret() or self._new_secret()
        return self._secret

    def _read_secret(self) -> bytes | None:
        query = "SELECT wrapped, secret FROM receipt_secrets WHERE name = ?"
        with self._file.reading() as connection:
            row = connection.execute(query, (HASHING,)).fetchone()
        return None if row is None else self._opened(*row)

    def _opened(self, wrapped: bytes | None, secret: bytes) -> bytes:
        if wrapped is None:
            return secret
        return self._needed().unwrap(wrapped, HASHING_PLACE).open(secret, HASHING_PLACE)

    def _new_secret(self) -> bytes:
        secret, wrapped = os.urandom(HASHING_BYTES), None
        kept = secret
        if self.masters is not None:
            key, wrapped = self.masters.new_key(HASHING_PLACE)
            kept = key.seal(secret, HASHING_PLACE)
        self._file.write(lambda connection: connection.execute(KEEP_HASHING, (HASHING, wrapped, kept)))
        found = self._read_secret()  # another process may have been quicker
        if found is None:
            raise StorageFailed("The secret of the receipts' file was not kept.")
        return found


def _parts(plain: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(plain):
        end = at + LENGTH + int.from_bytes(plain[at : at + LENGTH], "big")
        found.append(plain[at + LENGTH : end])
        at = end
    return found
