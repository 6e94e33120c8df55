"""API keys of programs: shown once, kept as a digest."""

from __future__ import annotations

import hmac
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from explainer.access.clock import Clock, read, utc_now, written
from explainer.access.roles import known_role
from explainer.durable import DurableFile
from explainer.errors import InvalidOption, NotFound

SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
  id TEXT PRIMARY KEY, secret_sha256 BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, models TEXT NOT NULL,
  created_at TEXT NOT NULL, created_by TEXT NOT NULL, expires_at TEXT, revoked_at TEXT, last_used_at TEXT
)
"""
FORM = re.compile(r"xk_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")
ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
USE_IS_NOTED_EVERY = timedelta(minutes=1)
COLUMNS = "id, secret_sha256, name, role, models, created_at, created_by, expires_at, revoked_at, last_used_at"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; `id` is the part that may be shown. Times are ISO 8601 in UTC."""

    id: str
    name: str
    role: str
    models: tuple[str, ...]
    created_at: str
    created_by: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None


class Keys:
    """All methods raise StorageFailed when the file cannot be read or written."""

    def __init__(self, file: DurableFile, *, clock: Clock = utc_now) -> None:
        self._file = file
        self._clock = clock

    def issue(
        self,
        name: str,
        role: str,
        *,
        models: Sequence[str] = ("*",),
        expires_at: datetime | None = None,
        created_by: str = "",
    ) -> tuple[str, ApiKey]:
        """Return the key's full text, which is never to be had again, and its record.

        Raises InvalidOption for an unknown role, an empty name or an expiry that has passed.
        """
        now = self._clock()
        if not name.strip() or len(name) > 200:
            raise InvalidOption("name: give the key a name of 1 to 200 characters that says what uses it.")
        if expires_at is not None and expires_at <= now:
            raise InvalidOption("expires_at: this time has passed; the key could never be used.")
        key = ApiKey(
            id="".join(secrets.choice(ID_LETTERS) for _ in range(8)),
            name=name.strip(),
            role=known_role(role),
            models=tuple(models),
            created_at=written(now),
            created_by=created_by,
            expires_at=None if expires_at is None else written(expires_at),
        )
        secret = secrets.token_urlsafe(32)
        self._file.write(lambda connection: _insert(connection, key, _digest(secret)))
        return f"xk_{key.id}_{secret}", key

    def holder(self, token: str) -> ApiKey | None:
        """Return the key that this text is, or None when it is unknown, wrong, expired or revoked."""
        parts = FORM.fullmatch(token)
        if parts is None:
            return None
        row = self._row(parts[1])
        stored = bytes(32) if row is None else row[1]
        right = hmac.compare_digest(stored, _digest(parts[2]))
        if row is None or not right:
            return None
        key = _key(row)
        now = self._clock()
        if key.revoked_at is not None or (key.expires_at is not None and read(key.expires_at) <= now):
            return None
        return self._note_use(key, now)

    def revoke(self, key_id: str) -> ApiKey:
        """Make the key useless from now on; a key that is revoked stays so. Raises NotFound."""
        now = written(self._clock())

        def end(connection: sqlite3.Connection) -> None:
            query = "UPDATE keys SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?"
            if connection.execute(query, (now, key_id)).rowcount == 0:
                raise NotFound(f"There is no key {key_id}.")

        self._file.write(end)
        return _key(self._row(key_id))

    def all(self) -> list[ApiKey]:
        """Return every key ever issued, oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT {COLUMNS} FROM keys ORDER BY created_at, id").fetchall()  # noqa: S608
        return [_key(row) for row in rows]

    def _row(self, key_id: str) -> Any:
        with self._file.reading() as connection:
            return connection.execute(f"SELECT {COLUMNS} FROM keys WHERE id = ?", (key_id,)).fetchone()  # noqa: S608

    def _note_use(self, key: ApiKey, now: datetime) -> ApiKey:
        if key.last_used_at is not None and now - read(key.last_used_at) < USE_IS_NOTED_EVERY:
            return key
        used = written(now)
        self._file.write(lambda c: c.execute("UPDATE keys SET last_used_at = ? WHERE id = ?", (used, key.id)))
        return replace(key, last_used_at=used)


def _digest(secret: str) -> bytes:
    # A plain digest is enough: the secret has 256 random bits, there is nothing to guess.
    return sha256(secret.encode()).digest()


def _insert(connection: sqlite3.Connection, key: ApiKey, digest: bytes) -> None:
    models = orjson.dumps(key.models).decode()
    connection.execute(
        f"INSERT INTO keys ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
        (key.id, digest, key.name, key.role, models, key.created_at, key.created_by, key.expires_at, None, None),
    )


def _key(row: Any) -> ApiKey:
    key_id, _, name, role, models, *times = row
    return ApiKey(key_id, name, role, tuple(orjson.loads(models)), *times)
