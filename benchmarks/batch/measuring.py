"""Runs a program and watches it with all its children: seconds, processor seconds, most memory together."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_S = 0.1


@dataclass(frozen=True)
class Measured:
    """`peak_mb` is proportional set size, so that what processes share counts once."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measured(words: Sequence[str], environment: Mapping[str, str], log: Path) -> Measured:
    """Run to the end; raises RuntimeError with the end of what it said when it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    peak = 0.0
    with log.open("w") as out, subprocess.Popen(words, env=environment, stdout=out, stderr=out) as process:
        while process.poll() is None:
            peak = max(peak, sum(_pss(pid) for pid in _family(process.pid)))
            time.sleep(LOOK_S)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in (0, 1) or (process.returncode == 1 and "rejected" not in log.read_text()):
        raise RuntimeError(f"{words[:6]} ended with {process.returncode}: {log.read_text()[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(wall, cpu, peak / 1000)


def _family(pid: int) -> list[int]:
    try:
        below = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return [pid, *(found for child in below for found in _family(child))]


def _pss(pid: int) -> float:
    """Kilobytes."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    except OSError:
        pass
    return 0.0
