"""What was said a moment ago, in this process's memory only: bounded in bytes and in age."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """Values by key, the oldest forgotten first; safe for threads. Nothing stays longer than `kept_s` seconds.

    How long it stays does not depend on how often it is asked for, so that what is behind it is looked at again.
    """

    def __init__(self, max_bytes: int, kept_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._kept_s = kept_s
        self._clock = clock
        self._entries: dict[Hashable, tuple[Value, int, float]] = {}  # in the order of their age
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        entry = self._entries.get(key)
        return entry[0] if entry is not None and self._clock() < entry[2] else None

    def put(self, key: Hashable, value: Value, size_bytes: int) -> None:
        """Remember a value that takes so many bytes with its key; one above the bound is not remembered."""
        now = self._clock()
        with self._lock:
            self._forget(key)
            if size_bytes <= self._max_bytes:
                self._entries[key] = (value, size_bytes, now + self._kept_s)
                self._bytes += size_bytes
            while self._entries:
                oldest = next(iter(self._entries))
                if self._bytes <= self._max_bytes and now < self._entries[oldest][2]:
                    return
                self._forget(oldest)

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._forget(key)

    @property
    def size_bytes(self) -> int:
        """Bytes remembered now."""
        return self._bytes

    def _forget(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]
