"""How much memory a worker holds, looked at now and then, so that one that keeps growing is replaced in time."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

LOOK_EVERY_S: Final = 2.0
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Size:
    """The resident memory of process `pid`; 0 where the system does not tell it."""

    def __init__(self, pid: int | None, most_mb: int) -> None:
        """`most_mb` is when it has outgrown its place, 0 for never."""
        self._path = Path(f"/proc/{pid}/statm")
        self._most = most_mb * 2**20
        self._next = time.monotonic()

    def bytes(self) -> int:
        try:
            return int(self._path.read_text().split()[1]) * PAGE
        except (OSError, IndexError, ValueError):  # it has ended, or there is no /proc
            return 0

    def outgrown(self) -> bool:
        """Whether it is too large; looked at every two seconds at most."""
        if not self._most or time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + LOOK_EVERY_S
        return self.bytes() > self._most
