"""Sessions of people: an opaque random token in the cookie, its digest in the file."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from explainer.access.clock import Clock, read, utc_now, written
from explainer.access.watch import Remembered, Watch
from explainer.durable import DurableFile
from explainer.errors import NotAuthenticated, NotFound

SEEN_IS_NOTED_EVERY = timedelta(minutes=1)
HALF_WAY = timedelta(minutes=15)  # what a session lives that still waits for the second factor

# A session may do something only when it is `full`; before, it is good for one step: prove a factor, or set one up.
Stage = Literal["prove", "set-up", "full"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session was begun, as its person sees it in the list."""

    address: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """`id` names the session where it is listed and ended; it opens nothing. Times are ISO 8601 in UTC."""

    id: str
    person: str
    address: str
    device: str
    stage: Stage
    started_at: str
    seen_at: str
    expires_at: str


COLUMNS = ", ".join(f.name for f in fields(Session))


class Sessions:
    """A session ends `idle` after it was last used, and `lasts` after it began. Raises StorageFailed."""

    def __init__(
        self,
        file: DurableFile,
        *,
        idle: timedelta = timedelta(hours=1),
        lasts: timedelta = timedelta(hours=12),
        watch: Watch | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._file = file
        self._idle = idle
        self._lasts = lasts
        self._clock = clock
        self._known: Remembered[bytes, Session] = Remembered(watch or Watch(file), self._stored)

    def start(
        self, person: str, origin: Origin | str, *, stage: Stage = "full", instead_of: str | None = None
    ) -> tuple[str, Session]:
        """Return a new token and its session; `instead_of` is the token that it takes the place of."""
        now = self._clock()
        at = Origin(origin) if isinstance(origin, str) else origin
        token = secrets.token_urlsafe(32)
        ends = now + (self._lasts if stage == "full" else min(HALF_WAY, self._lasts))
        session = Session(
            id="ses_" + secrets.token_hex(8),
            person=person,
            address=at.address[:100],
            device=at.device[:100],
            stage=stage,
            started_at=written(now),
            seen_at=written(now),
            expires_at=written(ends),
        )

        def insert(connection: sqlite3.Connection) -> None:
            self._sweep(connection, now)
            if instead_of is not None:
                connection.execute("DELETE FROM sessions WHERE token_sha256 = ?", (_digest(instead_of),))
            _insert(connection, session, token)

        self._file.write(insert)
        return token, session

    def promote(self, token: str) -> tuple[str, Session]:
        """Return a new token for a `full` session in the place of this one, which must be there.

        Whoever saw the token of the half session has nothing of it. Raises NotAuthenticated when it has ended
        meanwhile, so that two answers to one question never make two sessions.
        """
        now, new = self._clock(), secrets.token_urlsafe(32)

        def change(connection: sqlite3.Connection) -> Session:
            found = _find(connection, _digest(token))
            if found is None or not self._lives(found, now):
                raise NotAuthenticated("This session has ended; sign in again.")
            full = replace(
                found,
                id="ses_" + secrets.token_hex(8),
                stage="full",
                started_at=written(now),
                seen_at=written(now),
                expires_at=written(now + self._lasts),
            )
            connection.execute("DELETE FROM sessions WHERE id = ?", (found.id,))
            _insert(connection, full, new)
            return full

        return new, self._file.write(change)

    def find(self, token: str) -> Session | None:
        """Return the live session of this token, or None; notes that it was seen, at most once a minute."""
        digest, now = _digest(token), self._clock()
        session = self._known.get(digest)
        if session is not None and now - read(session.seen_at) >= SEEN_IS_NOTED_EVERY:
            session = self._known.again(digest)  # another process may have seen it since
        if session is None or not self._lives(session, now):
            return None
        return self._note_seen(session, digest, now)

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

    def end_all(self, person: str, *, but: str | None = None) -> int:
        """End every session of the person, `but` the one of this id; return how many there were."""
        query = "DELETE FROM sessions WHERE person = ? AND id IS NOT ?"
        return self._file.write(lambda c: c.execute(query, (person, but)).rowcount)

    def _stored(self, digest: bytes) -> Session | None:
        with self._file.reading() as connection:
            return _find(connection, digest)

    def _note_seen(self, session: Session, digest: bytes, now: datetime) -> Session:
        if now - read(session.seen_at) < SEEN_IS_NOTED_EVERY:
            return session
        seen = written(now)
        self._file.write(lambda c: c.execute("UPDATE sessions SET seen_at = ? WHERE id = ?", (seen, session.id)))
        self._known.again(digest)
        return replace(session, seen_at=seen)

    def _lives(self, session: Session, now: datetime) -> bool:
        return now < read(session.expires_at) and now < read(session.seen_at) + self._idle

    def _sweep(self, connection: sqlite3.Connection, now: datetime) -> None:
        connection.execute(
            "DELETE FROM sessions WHERE expires_at <= ? OR seen_at <= ?", (written(now), written(now - self._idle))
        )


def csrf_token(token: str) -> str:
    """Return the form token that belongs to a session token; it cannot be had without that, nor leads back to it."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"explainer form token", sha256).hexdigest()


def _find(connection: sqlite3.Connection, digest: bytes) -> Session | None:
    query = f"SELECT {COLUMNS} FROM sessions WHERE token_sha256 = ?"  # noqa: S608
    row = connection.execute(query, (digest,)).fetchone()
    return None if row is None else Session(*row)


def _insert(connection: sqlite3.Connection, session: Session, token: str) -> None:
    values = [getattr(session, f.name) for f in fields(Session)]
    query = f"INSERT INTO sessions ({COLUMNS}, token_sha256) VALUES ({'?,' * len(values)}?)"  # noqa: S608
    connection.execute(query, (*values, _digest(token)))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
