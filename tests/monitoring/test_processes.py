"""Proves what is read of processes, against real ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from explainer.monitoring.processes import lives, start_ticks, started_at, usage


def test_this_process_lives_and_has_memory_and_time() -> None:
    """Figures are of the size that a Python process has, and CPU time grows with work."""
    pid = os.getpid()
    before = usage(pid)
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    after = usage(pid)
    assert before is not None
    assert after is not None
    assert 10_000_000 < after.memory_bytes < 4_000_000_000
    assert after.cpu_seconds > before.cpu_seconds
    assert lives(pid, start_ticks(pid))
    assert abs(started_at(pid) - time.time()) < 24 * 3600


def test_another_process_of_the_same_number_is_not_taken_for_it() -> None:
    """A number that was given to a new process does not bring the old one back to life."""
    assert not lives(os.getpid(), start_ticks(os.getpid()) + 1)


def test_one_that_has_ended_is_dead_even_before_it_is_waited_for() -> None:
    """After kill -9 the kernel keeps the entry of a child; it counts neither as living nor as using anything."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    ticks = start_ticks(process.pid)
    assert ticks
    assert lives(process.pid, ticks)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not lives(process.pid, ticks)
    assert usage(process.pid) is None
    process.wait()
    assert not lives(process.pid, ticks)
    assert usage(process.pid) is None


def test_where_the_machine_tells_no_start_the_number_must_do() -> None:
    """Without ticks a process is alive when its number is in use."""
    assert lives(os.getpid(), 0)
    assert lives(1, 0)
    assert not lives(2**22 + 1, 0)
