"""One-time codes of an authenticator app (RFC 6238): 6 digits, 30 seconds, each code once."""

from __future__ import annotations

import hmac
import re
import sqlite3
from collections.abc import Sequence
from typing import Protocol

from explainer.access.clock import Clock, utc_now, written
from explainer.durable import DurableFile
from explainer.errors import Conflict, KeyMissing, NotFound

STEP_S = 30
WINDOW = 1  # steps before and after the present one: clocks of telephones differ
FORM = re.compile(r"[0-9]{6}")
OPEN = b"\x00"  # first byte of a secret that was kept without a master key; a sealed one begins otherwise


class Seal(Protocol):
    """What `explainer.sealing.Envelope` does: the secret is unreadable in the file, and opens only in its place."""

    def seal(self, plain: bytes, place: Sequence[str | bytes]) -> bytes: ...

    def open(self, sealed: bytes, place: Sequence[str | bytes]) -> bytes: ...


class Totp:
    """One authenticator for each person; without `seal` its secret is readable by whoever reads the file.

    All methods raise StorageFailed when the file cannot be used.
    """

    def __init__(self, file: DurableFile, seal: Seal | None = None, *, clock: Clock = utc_now) -> None:
        self._file = file
        self._seal = seal
        self._clock = clock

    def has(self, person: str) -> bool:
        """Whether the person has set it up to the end."""
        row = self._row(person)
        return row is not None and row[1] is not None

    def begin(self, person: str) -> str:
        """Return the secret (base32) that the app is to be given: the same until it is confirmed. Raises Conflict."""
        row = self._row(person)
        if row is not None and row[1] is not None:
            raise Conflict("An authenticator app is set up already; remove it first.")
        if row is not None:
            return self._opened(row[0], person)
        import pyotp

        secret = pyotp.random_base32()
        sealed, now = self._closed(secret, person), written(self._clock())
        query = "INSERT OR IGNORE INTO totp VALUES (?, ?, ?, NULL, 0)"
        self._file.write(lambda c: c.execute(query, (person, sealed, now)))
        kept = self._row(person)  # of two windows that begin at once, the first
        return secret if kept is None else self._opened(kept[0], person)

    def confirm(self, person: str, code: str) -> bool:
        """Finish the set-up with a code that the app shows; False for a wrong one, or when none was begun."""
        return self._spend(person, code, confirming=True)

    def check(self, person: str, code: str) -> bool:
        """Whether this is a code of this moment that was not used before."""
        return self._spend(person, code, confirming=False)

    def remove(self, person: str) -> None:
        """Raises NotFound."""

        def delete(connection: sqlite3.Connection) -> None:
            if connection.execute("DELETE FROM totp WHERE person = ?", (person,)).rowcount == 0:
                raise NotFound("No authenticator app is set up.")

        self._file.write(delete)

    def _spend(self, person: str, code: str, *, confirming: bool) -> bool:
        row, now = self._row(person), self._clock()
        digits = "".join(code.split())
        if row is None or (row[1] is None) != confirming or not FORM.fullmatch(digits):
            return False
        secret = self._opened(row[0], person)
        step = _step_of(secret, digits, int(now.timestamp()) // STEP_S)
        if step is None:
            return False
        query = (
            "UPDATE totp SET last_step = ?, confirmed_at = COALESCE(confirmed_at, ?), secret = ? "
            "WHERE person = ? AND secret = ? AND last_step < ?"
        )
        # Sealed anew each time, so a new master key takes over with the next sign-in.
        values = (step, written(now), self._closed(secret, person), person, row[0], step)
        return self._file.write(lambda c: c.execute(query, values).rowcount) == 1

    def _row(self, person: str) -> tuple[bytes, str | None] | None:
        with self._file.reading() as connection:
            row: tuple[bytes, str | None] | None = connection.execute(
                "SELECT secret, confirmed_at FROM totp WHERE person = ?", (person,)
            ).fetchone()
        return row

    def _closed(self, secret: str, person: str) -> bytes:
        if self._seal is None:
            return OPEN + secret.encode()
        return self._seal.seal(secret.encode(), ("totp", person))

    def _opened(self, kept: bytes, person: str) -> str:
        if kept[:1] == OPEN:
            return kept[1:].decode()
        if self._seal is None:
            raise KeyMissing("Authenticator secrets are sealed; give the service its master key again.")
        return self._seal.open(kept, ("totp", person)).decode()


def address_for_app(secret: str, name: str) -> str:
    """Return the `otpauth://` address that a QR code shows to the app."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="explainer")


def _step_of(secret: str, code: str, now: int) -> int | None:
    import pyotp

    generator, found = pyotp.TOTP(secret), None
    for step in range(now - WINDOW, now + WINDOW + 1):
        if hmac.compare_digest(generator.at(step * STEP_S).encode(), code.encode()):
            found = step
    return found
