"""One thread that calls back when a time has come, for as many jobs as wait."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from explainer.workers.asking import Job


class Expiry:
    """Calls `expired(job)` when `job.patience_s` have passed; it answers when to call again, None for never."""

    def __init__(self, expired: Callable[[Job], float | None], name: str) -> None:
        self._expired = expired
        self._name = name
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._running = self._closed = False

    def watch(self, job: Job) -> None:
        self._push(job.began + job.patience_s, job)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify()

    def _push(self, when: float, job: Job) -> None:
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._due, (when, next(self._numbers), job))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            elif self._due[0][2] is job:
                self._changed.notify()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            if not job.over and (again := self._expired(job)) is not None:
                self._push(again, job)

    def _next(self) -> Job | None:
        with self._changed:
            while not self._closed:
                while self._due and self._due[0][2].over:
                    heapq.heappop(self._due)
                if not self._due:
                    self._changed.wait()
                elif (left := self._due[0][0] - time.monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    return heapq.heappop(self._due)[2]
            return None
