"""Passwords as argon2id hashes; an unknown name costs as much time as a wrong password."""

from __future__ import annotations

import base64
import logging
import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from explainer.access.strength import LONGEST, check_strength
from explainer.errors import Overloaded

log = logging.getLogger(__name__)

AT_ONCE = 2  # each hash takes 64 MB and a tenth of a second
PATIENCE_S = 10.0


class Passwords:
    """Raises Overloaded when the machine is too busy with other sign-ins."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = _unmatchable(self._hasher)
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    def hash(self, password: str, name: str = "") -> str:
        """Raises InvalidOption for a password of fewer than 12 or more than 1,024 characters, or one easy to guess."""
        check_strength(password, name)
        return self.hash_again(password)

    def hash_again(self, password: str) -> str:
        """Hash a password that was taken before; what is asked of new ones does not matter."""
        with _Turn(self._turn):
            return self._hasher.hash(_plain(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Compare with a stored hash; None (nobody of that name) takes the same time and never matches."""
        if len(password) > LONGEST:
            return False
        with _Turn(self._turn):
            try:
                self._hasher.verify(stored or self._nobody, _plain(password))
            except VerifyMismatchError:
                return False
            except (VerificationError, InvalidHashError) as error:
                log.error("a stored password hash cannot be used, its owner needs a new password: %s", error)
                return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than are used today."""
        return self._hasher.check_needs_rehash(stored)


class _Turn:
    def __init__(self, turn: threading.BoundedSemaphore) -> None:
        self._turn = turn

    def __enter__(self) -> None:
        if not self._turn.acquire(timeout=PATIENCE_S):
            raise Overloaded("Too many people are signing in at this moment; try again in some seconds.")

    def __exit__(self, *_: object) -> None:
        self._turn.release()


def _plain(password: str) -> bytes:
    # The same characters typed on another keyboard or system are the same password (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _unmatchable(hasher: PasswordHasher) -> str:
    """Return a well-formed hash with the hasher's own costs, made of random bytes instead of any password."""
    salt, tag = _random_base64(hasher.salt_len), _random_base64(hasher.hash_len)
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${tag}"


def _random_base64(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
