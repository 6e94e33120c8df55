"""The processes of a running service by what they do, as an outsider finds them in /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 30.0
ROLES = ("worker", "nursery", "dispatcher", "exporter", "web", "arbiter", "other")


def until(holds: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until something holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"this did not come to hold in {seconds:.0f} s"
        time.sleep(0.02)


def parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(entry.name)] = int(parent)
    return found


def roles(supervisor: int) -> dict[str, list[int]]:
    """The numbers of the processes below a supervisor by role."""
    parent = parents()
    found: dict[str, list[int]] = {role: [] for role in ROLES}
    kinds = {supervisor: "supervisor"}
    waiting = [supervisor]
    while waiting:
        one = waiting.pop()
        for child in (pid for pid, above in parent.items() if above == one):
            kinds[child] = _role(kinds[one], child)
            found[kinds[child]].append(child)
            waiting.append(child)
    return found


def _role(above: str, pid: int) -> str:
    if above == "arbiter":
        return "web"
    if above in {"dispatcher", "nursery", "worker"}:  # a nursery's spare counts as one, and takes its place
        return "worker" if _is_closed_in(pid) else "nursery"
    words = b""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    known = {b"explainer.dispatcher": "dispatcher", b"explainer.wsgi": "arbiter", b"explainer.exporter": "exporter"}
    return next((role for name, role in known.items() if name in words), "other")


def _is_closed_in(pid: int) -> bool:
    """Whether a process gave up more than this one has: only workers do."""
    return _given_up(pid) != _given_up(os.getpid())


def _given_up(pid: int) -> list[str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
    return [line for line in lines if line.startswith(("NoNewPrivs", "Seccomp"))]


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def lives(pid: int) -> bool:
    return pid in parents()


def memory_mb(pid: int) -> float:
    """Proportional share of the memory of one process, as the kernel accounts for it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
