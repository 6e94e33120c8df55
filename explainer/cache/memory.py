"""The tier in memory: the least recently used answers go first when the bound is reached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from explainer.cache.counts import Counts
from explainer.cache.ports import Entry
from explainer.cache.stamp import Stamp

OVERHEAD = 310  # bytes of Python objects for each entry beside its value, measured with 32-byte keys


class MemoryTier:
    """Holds at most `max_bytes`, overhead included; safe for threads. A value above the bound is not kept."""

    name = "memory"

    def __init__(self, max_bytes: int, stamp: Stamp | None = None) -> None:
        """Everything is forgotten once `stamp` was renewed, by whichever process."""
        self._max_bytes = max_bytes
        self._stamp = stamp
        self._bytes = 0
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._counts = Counts("hits", "misses", "errors", "evictions")

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Entry]:
        found, wanted = {}, list(keys)
        if self._stamp is not None and self._stamp.renewed():
            self.close()
        with self._lock:
            for key in wanted:
                entry = self._entries.get(key)
                if entry is not None:
                    self._entries.move_to_end(key)
                    found[key] = entry
        self._counts.found(len(found), len(wanted))
        return found

    def put(self, entries: Mapping[bytes, Entry]) -> None:
        evicted = 0
        with self._lock:
            for key, entry in entries.items():
                self._remove(key)
                if len(entry.value) + OVERHEAD <= self._max_bytes:
                    self._entries[key] = entry
                    self._bytes += len(entry.value) + OVERHEAD
            while self._bytes > self._max_bytes:
                self._remove(next(iter(self._entries)))
                evicted += 1
        self._counts.add("evictions", evicted)

    def remove(self, keys: Iterable[bytes]) -> None:
        with self._lock:
            for key in keys:
                self._remove(key)

    def erase(self, keys: Iterable[bytes]) -> bool:
        self.remove(keys)
        return True

    def stats(self) -> dict[str, int]:
        return {**self._counts.now(), "bytes": self._bytes, "entries": len(self._entries)}

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """Bytes held now, overhead included."""
        return self._bytes

    def _remove(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry.value) + OVERHEAD
