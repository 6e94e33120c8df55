"""One-time links: whoever holds one becomes the first administrator, or chooses a password."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Literal

from explainer.access.clock import Clock, utc_now, written
from explainer.durable import DurableFile
from explainer.errors import NotFound

Purpose = Literal["first-administrator", "choose-password"]
GOOD_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Invitation:
    """`person` is whose password may be chosen; None for the first administrator, who is not there yet."""

    purpose: Purpose
    person: str | None
    expires_at: str


class Invitations:
    """Only digests are kept. All methods raise StorageFailed when the file cannot be used."""

    def __init__(self, file: DurableFile, *, clock: Clock = utc_now) -> None:
        self._file = file
        self._clock = clock

    def make(self, purpose: Purpose, person: str | None = None) -> str:
        """Return the link's token, good once within 24 hours; an earlier one for the same ends."""
        now, token = self._clock(), secrets.token_urlsafe(32)
        values = (_digest(token), purpose, person, written(now), written(now + GOOD_FOR))

        def insert(connection: sqlite3.Connection) -> None:
            query = "DELETE FROM invitations WHERE expires_at <= ? OR (purpose = ? AND person IS ?)"
            connection.execute(query, (written(now), purpose, person))
            connection.execute("INSERT INTO invitations VALUES (?,?,?,?,?)", values)

        self._file.write(insert)
        return token

    def look(self, token: str) -> Invitation:
        """Return what the link is for, without using it up. Raises NotFound for one that is unknown, used or over."""
        with self._file.reading() as connection:
            return self._found(connection, token)

    def spend_in(self, connection: sqlite3.Connection, token: str) -> Invitation:
        """Use the link up inside a write, so that it is used only together with what it was for. Raises NotFound."""
        found = self._found(connection, token)
        connection.execute("DELETE FROM invitations WHERE token_sha256 = ?", (_digest(token),))
        return found

    def _found(self, connection: sqlite3.Connection, token: str) -> Invitation:
        query = "SELECT purpose, person, expires_at FROM invitations WHERE token_sha256 = ? AND expires_at > ?"
        row = connection.execute(query, (_digest(token), written(self._clock()))).fetchone()
        if row is None:
            raise NotFound("This link was used before or is too old; ask for a new one.")
        return Invitation(*row)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
