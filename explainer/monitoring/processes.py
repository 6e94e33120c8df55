"""What the kernel says of a process: whether it lives, its memory, its CPU time."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident bytes, CPU seconds of user and system."""

    memory_bytes: float
    cpu_seconds: float


def start_ticks(pid: int) -> int:
    """Clock ticks from the boot to the start of a process: with `pid`, a name that is never given twice.

    0 where there is no /proc, or no such process.
    """
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def lives(pid: int, ticks: int) -> bool:
    """Whether that very process runs: neither ended and unclaimed, nor another that was given its number."""
    if ticks:
        fields = _stat(pid)
        return bool(fields) and fields[0] not in {"Z", "X"} and int(fields[19]) == ticks
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def usage(pid: int) -> Usage | None:
    """None when the process has ended, or the machine has no /proc."""
    fields = _stat(pid)
    if not fields or fields[0] in {"Z", "X"}:
        return None
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return Usage(float(int(fields[21]) * os.sysconf("SC_PAGE_SIZE")), cpu)


def started_at(pid: int) -> float:
    """When a process started, in Unix time; now, where the machine does not say."""
    ticks = start_ticks(pid)
    if not ticks:
        return time.time()
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; the name before it may hold blanks and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
