"""Recovery codes: ten, shown once, each good for one sign-in without the usual second factor."""

from __future__ import annotations

import base64
import secrets
import sqlite3
from hashlib import sha256

from explainer.access.clock import Clock, utc_now, written
from explainer.durable import DurableFile

HOW_MANY = 10
BYTES = 10  # 80 random bits: nothing to guess, so a plain digest is enough


class RecoveryCodes:
    """All methods raise StorageFailed when the file cannot be used."""

    def __init__(self, file: DurableFile, *, clock: Clock = utc_now) -> None:
        self._file = file
        self._clock = clock

    def renew(self, person: str) -> list[str]:
        """Return ten new codes, never to be had again; those of before are worth nothing from now on."""
        codes = [base64.b32encode(secrets.token_bytes(BYTES)).decode().lower() for _ in range(HOW_MANY)]

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM recovery_codes WHERE person = ?", (person,))
            rows = [(person, _digest(person, code)) for code in codes]
            connection.executemany("INSERT INTO recovery_codes VALUES (?, ?, NULL)", rows)

        self._file.write(replace)
        return ["-".join(code[i : i + 4] for i in range(0, len(code), 4)) for code in codes]

    def spend(self, person: str, code: str) -> bool:
        """Whether this is an unused code of the person; it is used now."""
        plain = "".join(c for c in code.lower() if c.isalnum())
        query = "UPDATE recovery_codes SET used_at = ? WHERE person = ? AND code_sha256 = ? AND used_at IS NULL"
        values = (written(self._clock()), person, _digest(person, plain))
        return self._file.write(lambda c: c.execute(query, values).rowcount) == 1

    def left(self, person: str) -> int:
        """How many are unused."""
        query = "SELECT count(*) FROM recovery_codes WHERE person = ? AND used_at IS NULL"
        with self._file.reading() as connection:
            return int(connection.execute(query, (person,)).fetchone()[0])


def _digest(person: str, code: str) -> bytes:
    return sha256(f"{person}\0{code}".encode("utf-8", "surrogatepass")).digest()
