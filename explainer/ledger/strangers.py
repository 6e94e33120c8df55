"""Refusals of callers who gave no name: the first of each minute one by one, the others as one entry that counts.

Whoever scans the service without a key could otherwise fill the disk with entries.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from explainer.errors import StorageFailed
from explainer.records import LedgerEntry

log = logging.getLogger(__name__)

ONE_BY_ONE = 60
MINUTE_S = 60.0
COUNTED = 0  # stands for the number of an entry that is still to come


class Strangers:
    """Safe for threads. What was counted and not yet written is lost when the process is killed: a minute's at most."""

    def __init__(
        self,
        append: Callable[[LedgerEntry], int],
        *,
        one_by_one: int = ONE_BY_ONE,
        every_s: float = MINUTE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._append = append
        self._one_by_one = one_by_one
        self._every_s = every_s
        self._clock = clock
        self._guard = threading.Lock()
        self._began = -every_s
        self._written = 0
        self._counts: dict[str, Counter[str]] = {}  # by door
        self._timer: threading.Timer | None = None

    def append(self, entry: LedgerEntry) -> int:
        """Return the entry's number once it is on disk, or COUNTED. Raises StorageFailed for one that is written."""
        with self._guard:
            now = self._clock()
            if now - self._began >= self._every_s:
                self._began, self._written = now, 0
            self._written += 1
            if self._written > self._one_by_one:
                self._count(entry)
                return COUNTED
        return self._append(entry)

    def flush(self) -> None:
        """Write what was counted, one entry for each door; what cannot be written stays counted, and is logged."""
        with self._guard:
            counts, self._counts = self._counts, {}
            timer, self._timer = self._timer, None
        atexit.unregister(self.flush)
        if timer is not None:
            timer.cancel()
        for door, counted in counts.items():
            try:
                self._append(LedgerEntry(f"{door}:stranger:refuse", "anonymous", "counted", "", dict(counted)))
            except StorageFailed as error:
                log.error("refusals of callers without a name were not recorded yet: %s", error.detail)
                with self._guard:
                    self._counts.setdefault(door, Counter()).update(counted)
                    self._wake()

    def _count(self, entry: LedgerEntry) -> None:
        door = entry.event.partition(":")[0]
        self._counts.setdefault(door, Counter())[entry.outcome] += 1
        self._wake()

    def _wake(self) -> None:
        if self._timer is None or not self._timer.is_alive():  # a forked process has the object without its thread
            atexit.register(self.flush)
            self._timer = threading.Timer(self._every_s, self.flush)
            self._timer.daemon = True
            self._timer.start()
