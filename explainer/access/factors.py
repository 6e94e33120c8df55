"""A person's second factors: what they have, what lets them in, and what must stay."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from explainer.access.challenges import Challenges
from explainer.access.clock import Clock, utc_now
from explainer.access.passkeys import Passkey, Passkeys
from explainer.access.recovery import RecoveryCodes
from explainer.access.throttle import ANYWHERE, Throttle
from explainer.access.totp import FORM, Seal, Totp
from explainer.durable import DurableFile
from explainer.errors import NotAuthenticated

# A guess at a code needs the password first, so counting all addresses together locks out nobody but whoever has it;
# recovery codes and passkeys, which cannot be guessed, stay good meanwhile.
FREE_ANYWHERE = 20


@dataclass(frozen=True, slots=True)
class FactorList:
    """`codes_left` is how many recovery codes are unused."""

    totp: bool
    passkeys: tuple[Passkey, ...]
    codes_left: int

    @property
    def any(self) -> bool:
        return self.totp or bool(self.passkeys)


class Factors:
    """All methods raise StorageFailed when the file cannot be used."""

    def __init__(
        self, file: DurableFile, throttle: Throttle, *, seal: Seal | None = None, clock: Clock = utc_now
    ) -> None:
        self._file = file
        self._throttle = throttle
        self.totp = Totp(file, seal, clock=clock)
        self.recovery = RecoveryCodes(file, clock=clock)
        self.challenges = Challenges(file, clock=lambda: clock().timestamp())
        self.passkeys = Passkeys(file, self.challenges, clock=clock)

    def of(self, person: str) -> FactorList:
        return FactorList(self.totp.has(person), tuple(self.passkeys.of(person)), self.recovery.left(person))

    def spend_code(self, person: str, code: str, address: str) -> str:
        """Return `totp` or `recovery` when the code is good, and use it up.

        Raises NotAuthenticated when it is not, and with the time to wait after too many that were not.
        """
        guessable = FORM.fullmatch("".join(code.split())) is not None
        self._throttle.attempt("second factor", person, address)
        if guessable:
            self._throttle.attempt("second factor", person, ANYWHERE, free=FREE_ANYWHERE)
        good = self.totp.check(person, code) if guessable else self.recovery.spend(person, code)
        if not good:
            raise NotAuthenticated("This code is not right, or was used before.")
        for place in (address, ANYWHERE):
            self._throttle.succeeded("second factor", person, place)
        return "totp" if guessable else "recovery"

    def forget(self, person: str) -> None:
        """Take away all factors and codes: the person sets up new ones at the next sign-in."""

        def delete(connection: sqlite3.Connection) -> None:
            for table in ("totp", "passkeys", "recovery_codes"):
                connection.execute(f"DELETE FROM {table} WHERE person = ?", (person,))  # noqa: S608

        self._file.write(delete)
