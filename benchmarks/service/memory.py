"""Memory of a tree of processes as it is shared out by the kernel (PSS), sampled while something runs."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

EVERY_S = 0.5


class Peak:
    """Context in which the processes below `root` are watched; megabytes, the highest that were seen."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self.total = 0.0
        self.largest_child = 0.0  # the largest direct child: for gunicorn, a web process
        self.processes = 0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_S):
            parents = _parents()
            held = {pid: _pss_mb(pid) for pid in _below(self._root, parents)}
            self.total = max(self.total, sum(held.values()))
            self.processes = max(self.processes, len(held))
            children = [mb for pid, mb in held.items() if parents.get(pid) == self._root]
            self.largest_child = max([self.largest_child, *children])


def _parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    return found


def _below(root: int, parents: dict[int, int]) -> list[int]:
    tree = [root]
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return tree


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
