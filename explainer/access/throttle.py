"""Slows down guessing of one name from one address, and nobody else."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from explainer.errors import NotAuthenticated

FREE = 5  # attempts before the first wait
LONGEST_S = 60.0
FORGOTTEN_AFTER_S = 900.0
PLACES = 20_000  # pairs remembered; the oldest are forgotten first


class Throttle:
    """After 5 failures each further one doubles the wait, up to 60 s, for this name from this address only.

    So whoever guesses from elsewhere cannot keep the owner of a name out. The count lives in this process. Behind a
    proxy the address must be the client's, or all clients share one.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pairs: OrderedDict[tuple[str, str], tuple[int, float, float]] = OrderedDict()

    def attempt(self, name: str, address: str) -> None:
        """Count an attempt before it is judged; raises NotAuthenticated while this pair has to wait."""
        pair, now = (name, address), self._clock()
        with self._lock:
            failures, seen, until = self._pairs.get(pair, (0, now, 0.0))
            if now < until:
                wait = math.ceil(until - now)
                raise NotAuthenticated(f"Too many failed attempts for this name from here: try again in {wait} s.")
            failures = 1 if now - seen > FORGOTTEN_AFTER_S else failures + 1
            delay = 0.0 if failures < FREE else min(LONGEST_S, 2.0 ** min(failures - FREE, 30))
            self._pairs[pair] = (failures, now, now + delay)
            self._pairs.move_to_end(pair)
            if len(self._pairs) > PLACES:
                self._pairs.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        with self._lock:
            self._pairs.pop((name, address), None)
