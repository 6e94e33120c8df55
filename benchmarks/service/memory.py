"""Memory of a tree of processes as it is shared out by the kernel (PSS), sampled while something runs."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

EVERY_S = 0.5
WEB = (b"gunicorn", b"explainer.wsgi")


class Peak:
    """Context in which the processes below `root` are watched; megabytes, the highest that were seen."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self.total = 0.0
        self.web = 0.0  # the largest process that answers HTTP
        self.processes = 0
        self.course: list[tuple[float, float]] = []  # when, and the total then

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def mean(self, since: float, until: float) -> float:
        """The mean total between two moments of the monotonic clock."""
        held = [total for at, total in self.course if since <= at <= until]
        return sum(held) / len(held) if held else float("nan")

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_S):
            parents = _parents()
            held = {pid: _pss_mb(pid) for pid in _below(self._root, parents)}
            self.course.append((time.monotonic(), sum(held.values())))
            self.total = max(self.total, sum(held.values()))
            self.processes = max(self.processes, len(held))
            self.web = max([self.web, *(mb for pid, mb in held.items() if _answers(pid, parents))])


def _answers(pid: int, parents: dict[int, int]) -> bool:
    """Whether a process is a fork of gunicorn's arbiter: they share the words of their command."""
    words = _words(pid)
    return any(name in words for name in WEB) and words == _words(parents.get(pid, 0))


def _words(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


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
