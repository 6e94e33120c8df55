"""API keys of programs: shown once, kept as a digest; a rotated key is a new one of the same program."""

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
from explainer.access.roles import known_role, known_scopes
from explainer.access.watch import Remembered, Watch
from explainer.durable import DurableFile
from explainer.errors import Conflict, InvalidOption, NotFound

FORM = re.compile(r"xk_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")
ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
USE_IS_NOTED_EVERY = timedelta(minutes=1)
LONGEST_OVERLAP = timedelta(days=30)
COLUMNS = (
    "id, secret_sha256, name, role, models, created_at, created_by, expires_at, revoked_at, last_used_at, scopes, "
    "program, replaces"
)
ALL = ("*",)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; `id` is the part that may be shown. Times are ISO 8601 in UTC.

    `program` is the id of the first key of this program: it stays when the key is rotated, and names the principal.
    `scopes` are the only permissions of the role that the key has; None where it has all of them.
    """

    id: str
    name: str
    role: str
    models: tuple[str, ...]
    created_at: str
    created_by: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None
    scopes: tuple[str, ...] | None = None
    program: str = ""
    replaces: str | None = None

    def ended(self, now: datetime) -> bool:
        return self.revoked_at is not None or (self.expires_at is not None and read(self.expires_at) <= now)


class Keys:
    """All methods raise StorageFailed when the file cannot be read or written."""

    def __init__(self, file: DurableFile, *, watch: Watch | None = None, clock: Clock = utc_now) -> None:
        self._file = file
        self._clock = clock
        self._known: Remembered[str, tuple[bytes, ApiKey]] = Remembered(watch or Watch(file), self._stored)

    def issue(
        self,
        name: str,
        role: str,
        *,
        models: Sequence[str] = ALL,
        expires_at: datetime | None = None,
        scopes: Sequence[str] | None = None,
        created_by: str = "",
    ) -> tuple[str, ApiKey]:
        """Return the key's full text, which is never to be had again, and its record.

        Raises InvalidOption for an unknown role, a scope that the role does not have, an empty name or an expiry that
        has passed.
        """
        now = self._clock()
        if not name.strip() or len(name) > 200 or not name.strip().isprintable():
            raise InvalidOption("name: give the key a name of 1 to 200 printable characters that says what uses it.")
        if expires_at is not None and expires_at <= now:
            raise InvalidOption("expires_at: this time has passed; the key could never be used.")
        key_id = _new_id()
        key = ApiKey(
            id=key_id,
            name=name.strip(),
            role=known_role(role),
            models=tuple(models),
            created_at=written(now),
            created_by=created_by,
            expires_at=None if expires_at is None else written(expires_at),
            scopes=known_scopes(role, scopes),
            program=key_id,
        )
        secret = secrets.token_urlsafe(32)
        self._file.write(lambda connection: _insert(connection, key, _digest(secret)))
        return _text(key, secret), key

    def rotate(self, key_id: str, *, overlap: timedelta, created_by: str = "") -> tuple[str, ApiKey]:
        """Return a new key for the same program, with the rights and the length of life of the old one.

        The old key works for `overlap` longer, at most 30 days and never beyond its own end. Raises NotFound, Conflict
        for a key that has ended or was rotated before, InvalidOption for another overlap.
        """
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InvalidOption("overlap_hours: the old key can work for 0 to 720 hours longer.")
        now, secret, new_id = self._clock(), secrets.token_urlsafe(32), _new_id()

        def renew(connection: sqlite3.Connection) -> ApiKey:
            old = _key(_row(connection, key_id))
            successor = connection.execute("SELECT id FROM keys WHERE replaces = ?", (key_id,)).fetchone()
            if successor is not None:
                raise Conflict(f"Key {key_id} was rotated before; rotate {successor[0]}, which took its place.")
            if old.ended(now):
                raise Conflict(f"Key {key_id} has ended; issue a new key instead.")
            life = None if old.expires_at is None else read(old.expires_at) - read(old.created_at)
            new = replace(
                old,
                id=new_id,
                created_at=written(now),
                created_by=created_by,
                expires_at=None if life is None else written(now + life),
                last_used_at=None,
                replaces=old.id,
            )
            end = written(now + overlap)
            ends = end if old.expires_at is None else min(end, old.expires_at)
            _insert(connection, new, _digest(secret))
            connection.execute("UPDATE keys SET expires_at = ? WHERE id = ?", (ends, key_id))
            return new

        new = self._file.write(renew)
        return _text(new, secret), new

    def holder(self, token: str) -> ApiKey | None:
        """Return the key that this text is, or None when it is unknown, wrong, expired or revoked."""
        parts = FORM.fullmatch(token)
        if parts is None:
            return None
        found = self._known.get(parts[1])
        right = hmac.compare_digest(bytes(32) if found is None else found[0], _digest(parts[2]))
        if found is None or not right:
            return None
        key, now = found[1], self._clock()
        return None if key.ended(now) else self._note_use(key, now)

    def get(self, key_id: str) -> ApiKey:
        """Raises NotFound."""
        with self._file.reading() as connection:
            return _key(_row(connection, key_id))

    def revoke(self, key_id: str) -> ApiKey:
        """Make the key useless from now on; a key that is revoked stays so. Raises NotFound."""
        now = written(self._clock())

        def end(connection: sqlite3.Connection) -> ApiKey:
            connection.execute("UPDATE keys SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?", (now, key_id))
            return _key(_row(connection, key_id))

        return self._file.write(end)

    def all(self) -> list[ApiKey]:
        """Return every key ever issued, oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT {COLUMNS} FROM keys ORDER BY created_at, id").fetchall()  # noqa: S608
        return [_key(row) for row in rows]

    def _stored(self, key_id: str) -> tuple[bytes, ApiKey] | None:
        with self._file.reading() as connection:
            row = _find(connection, key_id)
        return None if row is None else (row[1], _key(row))

    def _note_use(self, key: ApiKey, now: datetime) -> ApiKey | None:
        if not _to_be_noted(key, now):
            return key
        again = self._known.again(key.id)  # another process may have noted it
        if again is None or again[1].ended(now):
            return None
        if not _to_be_noted(again[1], now):
            return again[1]
        used = written(now)
        self._file.write(lambda c: c.execute("UPDATE keys SET last_used_at = ? WHERE id = ?", (used, key.id)))
        self._known.again(key.id)
        return replace(again[1], last_used_at=used)


def _to_be_noted(key: ApiKey, now: datetime) -> bool:
    return key.last_used_at is None or now - read(key.last_used_at) >= USE_IS_NOTED_EVERY


def _new_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(8))


def _text(key: ApiKey, secret: str) -> str:
    return f"xk_{key.id}_{secret}"


def _digest(secret: str) -> bytes:
    # A plain digest is enough: the secret has 256 random bits, there is nothing to guess.
    return sha256(secret.encode()).digest()


def _find(connection: sqlite3.Connection, key_id: str) -> Any:
    return connection.execute(f"SELECT {COLUMNS} FROM keys WHERE id = ?", (key_id,)).fetchone()  # noqa: S608


def _row(connection: sqlite3.Connection, key_id: str) -> Any:
    row = _find(connection, key_id)
    if row is None:
        raise NotFound(f"There is no key {key_id[:40]}.")
    return row


def _insert(connection: sqlite3.Connection, key: ApiKey, digest: bytes) -> None:
    scopes = None if key.scopes is None else orjson.dumps(key.scopes).decode()
    models = orjson.dumps(key.models).decode()
    values = (key.id, digest, key.name, key.role, models, key.created_at, key.created_by, key.expires_at, None, None)
    connection.execute(
        f"INSERT INTO keys ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
        (*values, scopes, key.program, key.replaces),
    )


def _key(row: Any) -> ApiKey:
    key_id, _, name, role, models, created_at, created_by, expires_at, revoked_at, used_at, scopes, program, old = row
    return ApiKey(
        id=key_id,
        name=name,
        role=role,
        models=tuple(orjson.loads(models)),
        created_at=created_at,
        created_by=created_by,
        expires_at=expires_at,
        revoked_at=revoked_at,
        last_used_at=used_at,
        scopes=None if scopes is None else tuple(orjson.loads(scopes)),
        program=program,
        replaces=old,
    )
