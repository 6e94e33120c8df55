"""Which places the workers of a version have: a place is taken again when its worker ends, so labels stay few."""

from __future__ import annotations

import threading
from typing import Final

from explainer.monitoring import catalogue as of
from explainer.monitoring.cells import Cells

PLACE: Final = "worker_process"  # not a metric: the process number in a place, for whoever reads its memory


class Slots:
    """Safe for threads."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._taken: dict[tuple[str, str], list[int]] = {}
        self._lock = threading.Lock()

    def take(self, model: str, version: str, pid: int) -> bool:
        """Put a worker into the first free place; True when another had it before."""
        with self._lock:
            places = self._taken.setdefault((model, version), [])
            again = 0 in places
            place = places.index(0) if again else len(places)
            places[place : place + 1] = [pid]
            self._tell(model, version, place, pid)
        return again

    def leave(self, model: str, version: str, pid: int) -> None:
        """Free the place of a worker; nothing happens when it has none."""
        with self._lock:
            places = self._taken.get((model, version), [])
            if pid in places:
                place = places.index(pid)
                places[place] = 0
                self._tell(model, version, place, 0)

    def _tell(self, model: str, version: str, place: int, pid: int) -> None:
        self._cells.set((PLACE, model, version, str(place)), pid)
        self._cells.set((of.WORKERS.name, model, version), sum(p > 0 for p in self._taken[model, version]))
