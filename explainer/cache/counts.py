"""Counts of one tier, for its `stats`."""

from __future__ import annotations

import threading


class Counts:
    """Named numbers that only grow; safe for threads."""

    def __init__(self, *names: str) -> None:
        self._numbers = dict.fromkeys(names, 0)
        self._lock = threading.Lock()

    def add(self, name: str, number: int = 1) -> None:
        if number:
            with self._lock:
                self._numbers[name] += number

    def found(self, hits: int, asked: int) -> None:
        """Count a look-up of `asked` keys."""
        with self._lock:
            self._numbers["hits"] += hits
            self._numbers["misses"] += asked - hits

    def now(self) -> dict[str, int]:
        with self._lock:
            return dict(self._numbers)
