"""How often a version's workers ended of late, when the next is due, and whether the version is out of service."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 60.0
REST_S: Final = 60.0  # after which one worker is tried again
FIRST_DELAY_S: Final = 0.1

BLAMELESS: Final = 0  # its nursery was killed
KILLED: Final = 1  # from outside: an operator, the kernel's memory killer
OWN_DOING: Final = 4  # it exited, crashed, hung, broke the protocol or could not be opened again
OUT_OF_SERVICE: Final = 5 * OWN_DOING  # within the window


class Health:
    """Counts ends of workers; the caller guards it with its own lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: deque[tuple[float, int]] = deque(maxlen=OUT_OF_SERVICE)
        self._not_before = 0.0
        self.last_failure: str | None = None
        self.out_of_service: str | None = None

    def died(self, why: str, blame: int) -> None:
        """Note an end; five of the model's own doing within a minute, or twenty kills, end its service."""
        now = self._clock()
        self.last_failure = why
        self._ends.append((now, blame))
        recent = [weight for when, weight in self._ends if weight and now - when < WINDOW_S]
        if sum(recent) >= OUT_OF_SERVICE:
            self.out_of_service = f"its processes ended {len(recent)} times within a minute, the last time: {why}"
            self._not_before = now + REST_S
        elif sum(recent) > OWN_DOING:
            self._not_before = now + FIRST_DELAY_S * 2 ** (sum(recent) / OWN_DOING - 2)

    def refused(self, why: str) -> None:
        """Note that the version may not be opened again as it is now: it is out of service at once."""
        self.last_failure = self.out_of_service = why
        self._not_before = self._clock() + REST_S

    def opened(self) -> None:
        """Note that a worker serves: the version is in service."""
        self.out_of_service = None

    def delay(self) -> float:
        """Seconds until the next worker may be started."""
        return max(0.0, self._not_before - self._clock())
