"""Questions that only we can have asked: signed, bound to a purpose, good for some minutes, and answered once."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
import struct
import time
from collections.abc import Callable
from hashlib import sha256

from explainer.durable import DurableFile
from explainer.errors import NotAuthenticated

GOOD_FOR_S = 300.0
NONCE, TIME, MAC = 16, 8, 32
OURS = "challenges"


class Challenges:
    """Asking writes nothing, so nobody can fill the disk by asking; a spent challenge is kept until it expires."""

    def __init__(self, file: DurableFile, *, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
        self._key = _house_secret(file)

    def ask(self, purpose: str) -> bytes:
        """Return 56 bytes that `spend` takes once within five minutes, for the same purpose only."""
        stated = secrets.token_bytes(NONCE) + struct.pack(">d", self._clock() + GOOD_FOR_S)
        return stated + self._mac(stated, purpose)

    def check(self, challenge: bytes, purpose: str) -> None:
        """Raises NotAuthenticated for one that we did not ask for this purpose, or that is over."""
        stated, mac = challenge[: NONCE + TIME], challenge[NONCE + TIME :]
        good = len(challenge) == NONCE + TIME + MAC and hmac.compare_digest(mac, self._mac(stated, purpose))
        if not good or struct.unpack(">d", stated[NONCE:])[0] <= self._clock():
            raise NotAuthenticated("This page waited too long, or is not from here: load it again.")

    def spend(self, challenge: bytes, purpose: str) -> None:
        """Raises NotAuthenticated as `check` does, and for a challenge that was answered before."""
        self.check(challenge, purpose)
        now, digest = self._clock(), sha256(challenge).digest()
        until = struct.unpack(">d", challenge[NONCE : NONCE + TIME])[0]

        def mark(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM spent WHERE until <= ?", (now,))
            return connection.execute("INSERT OR IGNORE INTO spent VALUES (?, ?)", (digest, until)).rowcount == 1

        if not self._file.write(mark):
            raise NotAuthenticated("This was answered before: load the page again.")

    def _mac(self, stated: bytes, purpose: str) -> bytes:
        return hmac.new(self._key, stated + purpose.encode("utf-8", "replace"), sha256).digest()


def _house_secret(file: DurableFile) -> bytes:
    """The secret that all processes on this file share; made by the first of them."""
    with file.reading() as connection:
        found = connection.execute("SELECT value FROM house_secrets WHERE name = ?", (OURS,)).fetchone()
    if found is None:
        fresh = secrets.token_bytes(32)
        file.write(lambda c: c.execute("INSERT OR IGNORE INTO house_secrets VALUES (?, ?)", (OURS, fresh)))
        with file.reading() as connection:
            found = connection.execute("SELECT value FROM house_secrets WHERE name = ?", (OURS,)).fetchone()
    return bytes(found[0])
