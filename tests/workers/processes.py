"""What the tests of workers need to know of processes: who lives, whose children they are, how many files are open."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 20.0


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail after 20 s."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "this never came to hold"
        time.sleep(0.005)


def state_of(pid: int) -> str | None:
    """R, S, D, Z, T ... as the kernel calls it; None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def lives(pid: int) -> bool:
    return state_of(pid) not in (None, "Z")


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def open_files(pid: int | None = None) -> int:
    return len(list(Path(f"/proc/{pid or os.getpid()}/fd").iterdir()))
