"""Leaves a server alone that does not answer, and notices in the background when it does again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Breaker:
    """Closed while the server answers. Safe for threads; after a fork the child tries for itself."""

    def __init__(self, place: str, probe: Callable[[], bool], retry_s: float) -> None:
        """`probe` says whether the server answers; it is asked at once and then every `retry_s` seconds."""
        self._place = place
        self._probe = probe
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._is_open = False
        self._closed_at = -retry_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def allows(self) -> bool:
        """Whether the server may be asked."""
        if self._is_open and not self._ended.is_set():
            with self._lock:
                self._watch()
        return not self._is_open

    def trip(self, error: Exception) -> None:
        """Ask the server no more until it answers in the background."""
        with self._lock:
            if self._is_open:
                return
            self._is_open = True
            log.warning("%s is not used until it answers again: %s", self._place, error)
            self._watch()

    def close(self) -> None:
        """End the trying, for good."""
        self._ended.set()

    def _watch(self) -> None:
        if self._is_open and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._try, name=f"trying {self._place}", daemon=True)
            self._thread.start()

    def _try(self) -> None:
        # Where it answers a probe but not what it is asked, the requests shall not pay for that again and again.
        patience_s = self._retry_s if time.monotonic() < self._closed_at + self._retry_s else 0.0
        while self._ended.wait(patience_s) or not self._probe():
            if self._ended.is_set():
                return
            patience_s = self._retry_s
        with self._lock:
            self._is_open, self._closed_at = False, time.monotonic()
            log.warning("%s answers again", self._place)
