"""Asks while work goes on whether its answer is still wanted, and ends it where it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Stop
from explainer.errors import Cancelled
from explainer.records import FloatArray

EVERY = 0.002  # seconds between two questions at least


class Watch:
    """Watches one engine's work; asks before each call of its model and wherever a method's work can be parted."""

    def __init__(self) -> None:
        self._stop: Stop | None = None
        self._next = 0.0

    @property
    def watching(self) -> bool:
        return self._stop is not None

    @contextmanager
    def over(self, stop: Stop | None) -> Iterator[None]:
        """While this lasts, `look` asks `stop`."""
        self._stop, self._next = stop, 0.0
        try:
            yield
        finally:
            self._stop = None

    def look(self) -> None:
        """Raises Cancelled when `stop`, asked at most every EVERY seconds, says that nobody waits any more."""
        if self._stop is None:
            return
        present = time.monotonic()
        if present < self._next:
            return
        if self._stop():
            raise Cancelled("Whoever asked no longer waits for this answer, so the work on it was ended.")
        self._next = present + EVERY

    def on(self, model: OpenedModel) -> OpenedModel:
        """The same model, looked after before each call."""
        margin = None if model.margin is None else self._before(model.margin)
        return replace(model, predict=self._before(model.predict), margin=margin)

    def _before(self, function: Callable[[FloatArray], FloatArray]) -> Callable[[FloatArray], FloatArray]:
        def watched(rows: FloatArray) -> FloatArray:
            self.look()
            return function(rows)

        return watched
