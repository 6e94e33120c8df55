"""Puts entries into a slower tier after the answer has left, in a thread of its own."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import threading
import time
import weakref
from collections.abc import Iterable, Mapping

from explainer.cache.counts import Counts
from explainer.cache.ports import Entry, Tier

log = logging.getLogger(__name__)

TIDY_S = 60.0  # an idle tier is given a chance to remove what is too old
CLOSING_S = 5.0
WRITTEN_AT_ONCE = 1000
PAUSE_S = 0.05  # between two transactions: under load one for each entry would cost a tenth of answering


class WriteBehind:
    """A tier whose `put` does not wait; what waits is found by `get`. Beyond `max_bytes` waiting, puts are dropped.

    Other processes see an entry a moment later. What waits is written at `close` and when the interpreter ends; what a
    kill takes away is computed anew.
    """

    _changed: threading.Condition
    _waiting: dict[bytes, Entry]
    _hurried: int  # so many wait until all is written
    _began: float  # when the last transaction was
    _thread: threading.Thread | None

    def __init__(self, tier: Tier, max_bytes: int = 16_000_000) -> None:
        self.name = tier.name
        self._tier = tier
        self._max_bytes = max_bytes
        self._counts = Counts("dropped")
        self._begin()
        _ALL.add(self)
        atexit.register(_close, weakref.ref(self))

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Entry]:
        wanted = list(keys)
        with self._changed:
            self._run()
            waiting = {key: self._waiting[key] for key in wanted if key in self._waiting}
        return {**self._tier.get([key for key in wanted if key not in waiting]), **waiting}

    def put(self, entries: Mapping[bytes, Entry]) -> None:
        dropped = 0
        with self._changed:
            first = not self._waiting
            for key, entry in entries.items():
                self._drop(key)
                if self._bytes + len(entry.value) <= self._max_bytes:
                    self._bytes += len(entry.value)
                    self._waiting[key] = entry
                else:
                    dropped += 1
            self._run()
            if first or self._full():
                self._changed.notify_all()
        self._counts.add("dropped", dropped)

    def remove(self, keys: Iterable[bytes]) -> None:
        gone = list(keys)
        with self._changed:
            for key in gone:
                self._drop(key)
        self._tier.remove(gone)

    def erase(self, keys: Iterable[bytes]) -> bool:
        """What is being written at this moment is waited for."""
        gone = list(keys)
        with self._changed:
            for key in gone:
                self._drop(key)
        return self.flush() & self._tier.erase(gone)

    def flush(self, patience_s: float = CLOSING_S) -> bool:
        """Wait until all that was put is written, False when that took too long."""
        with self._changed:
            self._hurried += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._waiting, patience_s)
            finally:
                self._hurried -= 1

    def stats(self) -> dict[str, int]:
        return {**self._tier.stats(), **self._counts.now(), "waiting": len(self._waiting)}

    def close(self) -> None:
        """Write what waits, within a few seconds, and close the tier; the next call begins again."""
        if not self.flush():
            log.warning("cache %s: %d entries were not written before the end", self.name, len(self._waiting))
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(CLOSING_S)
        self._tier.close()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._waiting = {}
        self._bytes = self._hurried = 0
        self._began = -PAUSE_S
        self._thread = None

    def _run(self) -> None:
        """Start the thread where there is none: threads do not come along through a fork."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name=f"cache {self.name}", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            self._tier.put(batch)
            with self._changed:
                for key, entry in batch.items():
                    if self._waiting.get(key) is entry:
                        self._drop(key)
                self._changed.notify_all()

    def _next(self) -> dict[bytes, Entry] | None:
        """Wait for entries; return none of them when it is time to tidy up, None when this thread is to end."""
        with self._changed:
            this = threading.current_thread()
            self._changed.wait_for(lambda: self._waiting or self._thread is not this, TIDY_S)
            pause_s = max(0.0, self._began + PAUSE_S - time.monotonic())
            self._changed.wait_for(lambda: self._hurried or self._full() or self._thread is not this, pause_s)
            self._began = time.monotonic()
            if self._thread is not this:
                return None
            return dict(itertools.islice(self._waiting.items(), WRITTEN_AT_ONCE))

    def _full(self) -> bool:
        return len(self._waiting) >= WRITTEN_AT_ONCE or 2 * self._bytes > self._max_bytes

    def _drop(self, key: bytes) -> None:
        entry = self._waiting.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry.value)


_ALL: weakref.WeakSet[WriteBehind] = weakref.WeakSet()


def _close(reference: weakref.ref[WriteBehind]) -> None:
    behind = reference()
    if behind is not None:
        behind.close()


def _begin_anew() -> None:
    for behind in list(_ALL):
        behind._begin()


os.register_at_fork(after_in_child=_begin_anew)
