"""Sessions of people: an opaque random token in the cookie, its digest in the file."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from explainer.access.clock import Clock, read, utc_now, written
from explainer.durable import DurableFile
from explainer.errors import NotFound

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, token_sha256 BLOB NOT NULL UNIQUE, person TEXT NOT NULL, address TEXT NOT NULL,
  started_at TEXT NOT NULL, seen_at TEXT NOT NULL, expires_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_by_person ON sessions (person)
"""
COLUMNS = "id, person, address, started_at, seen_at, expires_at"
SEEN_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """`id` names the session where it is listed and ended; it opens nothing. Times are ISO 8601 in UTC."""

    id: str
    person: str
    address: str
    started_at: str
    seen_at: str
    expires_at: str


class Sessions:
    """A session ends `idle` after it was last used, and `lasts` after it began. Raises StorageFailed."""

    def __init__(
        self,
        file: DurableFile,
        *,
        idle: timedelta = timedelta(hours=1),
        lasts: timedelta = timedelta(hours=12),
        clock: Clock = utc_now,
    ) -> None:
        self._file = file
        self._idle = idle
        self._lasts = lasts
        self._clock = clock

    def start(self, person: str, address: str, *, instead_of: str | None = None) -> tuple[str, Session]:
        """Return a new token and its session; `instead_of` is the token that it takes the place of."""
        now = self._clock()
        token = secrets.token_urlsafe(32)
        session = Session(
            "ses_" + secrets.token_hex(8), person, address[:100], written(now), written(now), written(now + self._lasts)
        )

        def insert(connection: sqlite3.Connection) -> None:
            self._sweep(connection, now)
            if instead_of is not None:
                connection.execute("DELETE FROM sessions WHERE token_sha256 = ?", (_digest(instead_of),))
            connection.execute(
                f"INSERT INTO sessions ({COLUMNS}, token_sha256) VALUES (?,?,?,?,?,?,?)",  # noqa: S608
                (*(getattr(session, name) for name in COLUMNS.split(", ")), _digest(token)),
            )

        self._file.write(insert)
        return token, session

    def find(self, token: str) -> Session | None:
        """Return the live session of this token, or None; notes that it was seen, at most once a minute."""
        with self._file.reading() as connection:
            row = connection.execute(
                f"SELECT {COLUMNS} FROM sessions WHERE token_sha256 = ?",  # noqa: S608
                (_digest(token),),
            ).fetchone()
        if row is None:
            return None
        session, now = Session(*row), self._clock()
        if not self._lives(session, now):
            return None
        if now - read(session.seen_at) < SEEN_IS_NOTED_EVERY:
            return session
        seen = written(now)
        self._file.write(lambda c: c.execute("UPDATE sessions SET seen_at = ? WHERE id = ?", (seen, session.id)))
        return replace(session, seen_at=seen)

    def of(self, person: str) -> list[Session]:
        """Return the person's live sessions, newest first."""
        query = f"SELECT {COLUMNS} FROM sessions WHERE person = ? ORDER BY started_at DESC, id"  # noqa: S608
        with self._file.reading() as connection:
            rows = connection.execute(query, (person,)).fetchall()
        now = self._clock()
        return [session for row in rows if self._lives(session := Session(*row), now)]

    def end(self, session_id: str, person: str) -> None:
        """End one session of this person. Raises NotFound, also for another person's session."""

        def remove(connection: sqlite3.Connection) -> None:
            query = "DELETE FROM sessions WHERE id = ? AND person = ?"
            if connection.execute(query, (session_id, person)).rowcount == 0:
                raise NotFound(f"There is no session {session_id[:40]}.")

        self._file.write(remove)

    def end_token(self, token: str) -> None:
        """End the session of this token, if there is one."""
        digest = _digest(token)
        self._file.write(lambda c: c.execute("DELETE FROM sessions WHERE token_sha256 = ?", (digest,)))

    def end_all(self, person: str) -> int:
        """End every session of the person; return how many there were."""
        return self._file.write(lambda c: c.execute("DELETE FROM sessions WHERE person = ?", (person,)).rowcount)

    def _lives(self, session: Session, now: datetime) -> bool:
        return now < read(session.expires_at) and now < read(session.seen_at) + self._idle

    def _sweep(self, connection: sqlite3.Connection, now: datetime) -> None:
        connection.execute(
            "DELETE FROM sessions WHERE expires_at <= ? OR seen_at <= ?", (written(now), written(now - self._idle))
        )


def csrf_token(token: str) -> str:
    """Return the form token that belongs to a session token; it cannot be had without that, nor leads back to it."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"explainer form token", sha256).hexdigest()


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
