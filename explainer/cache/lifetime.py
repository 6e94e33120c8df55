"""How long an entry is good for, by clocks that may jump."""

from __future__ import annotations

import time
from collections.abc import Callable


def now_ms() -> int:
    """Return milliseconds since 1970 by this host's clock."""
    return time.time_ns() // 1_000_000


class Lifetime:
    """An entry is good while its time lies within `ttl_s` seconds of now, both ways; 0 sets no bound.

    After the clock was set back, an entry from the future is still good and lives at most another `ttl_s`. One from
    further ahead was written by a clock that was wrong, and is as good as too old.
    """

    def __init__(self, ttl_s: float = 0, clock: Callable[[], int] = now_ms) -> None:
        self.ttl_ms = round(ttl_s * 1000)
        self.now_ms = clock

    def bounds_ms(self) -> tuple[int, int] | None:
        """Return the first and last time that are good now, None without a bound."""
        if not self.ttl_ms:
            return None
        now = self.now_ms()
        return now - self.ttl_ms, now + self.ttl_ms
