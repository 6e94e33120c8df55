"""What a worker may use: so much memory, processor time and files, no core dump; and that it ends with its parent."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys

OPEN_FILES = 256
NICENESS = 5
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38


def limit(memory_mb: int) -> None:
    """Bound this process for good: beyond `memory_mb` MiB of address space an allocation fails."""
    _lower(resource.RLIMIT_AS, memory_mb * 2**20)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)


def allow_cpu(seconds: float) -> None:
    """Let this process use so much more processor time, over all its threads; beyond it the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def give_way() -> None:
    """Run behind the web processes where both want the processor: refusals stay quick when models are busy."""
    os.nice(NICENESS)


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when process `parent` ends; where it cannot, the closed socket ends it."""
    if prctl(PR_SET_PDEATHSIG, signal.SIGKILL) and os.getppid() != parent:
        os._exit(0)


def adopt_orphans() -> bool:
    """Have what a worker leaves behind become a child of this process, so that it can be ended."""
    return prctl(PR_SET_CHILD_SUBREAPER, 1)


def prctl(option: int, value: int) -> bool:
    """Set a process option of the Linux kernel; False where there is no such kernel or it refuses."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def _lower(which: int, to: int) -> None:
    _, ceiling = resource.getrlimit(which)
    bound = to if ceiling == resource.RLIM_INFINITY else min(to, ceiling)
    resource.setrlimit(which, (bound, bound))
