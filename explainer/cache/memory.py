"""The tier in memory: the least recently used answers go first when the bound is reached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping

OVERHEAD = 250  # bytes of Python objects for each entry beside its value, measured with 32-byte keys


class MemoryTier:
    """Holds at most `max_bytes`, overhead included; safe for threads. A value above the bound is not kept."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        found = {}
        with self._lock:
            for key in keys:
                value = self._entries.get(key)
                if value is not None:
                    self._entries.move_to_end(key)
                    found[key] = value
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        with self._lock:
            for key, value in values.items():
                self._remove(key)
                if len(value) + OVERHEAD <= self._max_bytes:
                    self._entries[key] = value
                    self._bytes += len(value) + OVERHEAD
            while self._bytes > self._max_bytes:
                self._remove(next(iter(self._entries)))

    @property
    def size_bytes(self) -> int:
        """Bytes held now, overhead included."""
        return self._bytes

    def _remove(self, key: bytes) -> None:
        value = self._entries.pop(key, None)
        if value is not None:
            self._bytes -= len(value) + OVERHEAD
