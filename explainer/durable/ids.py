"""Names for records: they sort by the time at which they were made, and nobody guesses them."""

from __future__ import annotations

import secrets
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: sorts as its values do, no I, L, O, U


def new_id(prefix: str, at_s: float | None = None) -> str:
    """Return `prefix`, `_` and 26 characters: 48 bits of milliseconds since 1970, then 80 random bits.

    Ids sort by the millisecond of `at_s` (seconds since 1970, default now); within one their order is random.
    """
    milliseconds = int((time.time() if at_s is None else at_s) * 1000)
    number = (milliseconds << 80) | secrets.randbits(80)
    return f"{prefix}_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))
