"""What the web processes of one server tell one another: how many connections each has."""

from __future__ import annotations

import mmap
import struct
import time

SLOTS = 128
ENTRY = struct.Struct("=dq")  # when it was written (the monotonic clock is the machine's), and the connections then
FRESH_S = 3.0


class Siblings:
    """Memory that is shared with every process forked later; each writes its own entry and reads the others'."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOTS * ENTRY.size)

    def write(self, slot: int, connections: int) -> None:
        ENTRY.pack_into(self._memory, slot % SLOTS * ENTRY.size, time.monotonic(), connections)

    def fewest(self, slot: int) -> int | None:
        """The least that another process has that wrote within the last three seconds; None without any."""
        since = time.monotonic() - FRESH_S
        entries = list(ENTRY.iter_unpack(self._memory))
        del entries[slot % SLOTS]
        return min((connections for at, connections in entries if at > since), default=None)
