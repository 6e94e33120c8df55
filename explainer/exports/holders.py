"""Who works on an export: a process by its host, number and beginning, so that one that is gone is known to be."""

from __future__ import annotations

import os
import secrets
import socket


def this_process() -> str:
    """Who holds a lease: host, process, when the process began, and a word that no other runner has."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}:{secrets.token_hex(4)}"


def gone(holder: str | None) -> bool:
    """Whether the process of a holder was of this machine and has ended; False where that cannot be known."""
    if holder is None:
        return True
    host, pid, began, _ = holder.split(":")
    return host == socket.gethostname() and began != "" and _began(int(pid)) != began


def _began(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  no Path for procfs
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return "" if pid == os.getpid() else "ended"
    return "ended" if fields[0] in ("Z", "X") else fields[19]
