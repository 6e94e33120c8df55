"""Numbers that one process adds up and every process may read: 64-bit floats in a file mapped into memory."""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import threading
import weakref
from bisect import bisect_left
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Final

from explainer.monitoring import layout
from explainer.monitoring.layout import FIRST, Key, LayoutError, Owner
from explainer.monitoring.processes import start_ticks, started_at

log = logging.getLogger(__name__)

BEGIN_BYTES: Final = 1 << 16
MOST_BYTES: Final = 1 << 23
MOST_SERIES: Final = 500  # of one metric; further ones are added up under "other"
MOST_FILES: Final = 512  # of one role
SUFFIX: Final = ".cells"
FOLDER: Final = Path("run/meters")  # below EXPLAINER_VAR


class Cells:
    """A process's own file `<role>-<number>.cells`; safe for threads, and after a fork the child gets its own.

    The file is locked while its process lives. A process that starts takes over the first file that nobody has locked:
    its counts go on, so that a sum over all files never falls when a process is killed, and what is `live` begins at 0.
    A disk that is full or read-only never harms the caller: the numbers then stay in memory, which is logged.
    """

    def __init__(self, folder: Path, role: str, live: Container[str] = ()) -> None:
        self._folder, self._role, self._live = folder, role, live
        self._reset()
        _OPEN.add(self)

    def add(self, key: Key, amount: float = 1.0) -> None:
        with self._lock:
            at = self._places.get(key) or self._place(key, 1)
            self._values[at] += amount

    def set(self, key: Key, value: float) -> None:
        with self._lock:
            at = self._places.get(key) or self._place(key, 1)
            self._values[at] = value

    def observe(self, key: Key, bounds: Sequence[float], value: float) -> None:
        """Count `value` in its bucket: `len(bounds) + 1` of them, and then the sum of all values."""
        bucket = bisect_left(bounds, value)
        with self._lock:
            start = self._places.get(key) or self._place(key, len(bounds) + 2)
            self._values[start + bucket] += 1.0
            self._values[start + len(bounds) + 1] += value

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[Key, int] = {}
        self._series: dict[str, int] = {}
        self._used = 0
        self._file: int | None = None
        self._shared = False  # whether the numbers are in the file, for others to read
        self._map: mmap.mmap | bytearray = bytearray()
        self._values = memoryview(self._map).cast("d")

    def _forget_parent(self) -> None:
        # The lock stays with the parent: it goes only when every descriptor of this opening is closed.
        if self._file is not None:
            os.close(self._file)
        self._reset()

    def _place(self, key: Key, width: int) -> int:
        """Return where the floats of a series begin, in floats from the start of the file; the lock is held."""
        if self._used == 0:
            self._begin()
            if key in self._places:
                return self._places[key]
        count = self._series.get(key[0], 0)
        if count >= MOST_SERIES and (other := (key[0], *("other" for _ in key[1:]))) != key:
            return self._places.get(other) or self._place(other, width)
        new, floats_at = layout.entry(key, width)
        if self._used + len(new) > len(self._map):
            self._grow(self._used + len(new))
        at = self._used
        self._write(at, new)
        self._used += len(new)
        self._write(layout.USED_AT, layout.USED.pack(self._used))
        self._places[key] = (at + floats_at) // 8
        self._series[key[0]] = count + 1
        return self._places[key]

    def _begin(self) -> None:
        owner = Owner(os.getpid(), start_ticks(os.getpid()), started_at(os.getpid()))
        try:
            self._file = self._claim()
            self._take_over(self._file, owner)
            self._shared = True
        except OSError as error:
            self._stay_in_memory(error)
            self._use(bytearray(BEGIN_BYTES))
            self._write(0, layout.header(owner))
            self._used = FIRST

    def _claim(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in range(MOST_FILES):
            path = self._folder / f"{self._role}-{number}{SUFFIX}"
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
                    return file
            except BlockingIOError:
                pass
            os.close(file)
        raise OSError(f"{MOST_FILES} processes of role {self._role} have files in {self._folder}")

    def _take_over(self, file: int, owner: Owner) -> None:
        data = os.pread(file, MOST_BYTES, 0)
        try:
            layout.read_owner(data)
            found = list(layout.read_entries(data))
        except LayoutError:
            os.ftruncate(file, 0)
            found, data = [], b""
        size = max(BEGIN_BYTES, len(data))
        _reserve(file, len(data), size)
        self._use(mmap.mmap(file, size))
        if not data:
            self._write(0, layout.header(owner))
        for key, at, width in found:
            self._places[key] = at // 8
            self._series[key[0]] = self._series.get(key[0], 0) + 1
            if key[0] in self._live:
                self._write(at, bytes(8 * width))
        # Only now is it the new process's: until here a reader takes the file for that of a dead one.
        self._write(layout.OWNER_AT, layout.OWNER.pack(owner.pid, owner.ticks, owner.born))
        (self._used,) = layout.USED.unpack_from(self._map, layout.USED_AT)

    def _grow(self, needed: int) -> None:
        size = len(self._map)
        while size < needed:
            size *= 2
        if self._shared:
            try:
                if size > MOST_BYTES:
                    raise OSError(f"the file would exceed {MOST_BYTES} bytes")
                assert self._file is not None
                _reserve(self._file, len(self._map), size)
                self._use(mmap.mmap(self._file, size))
                return
            except OSError as error:
                self._stay_in_memory(error)
        self._use(bytearray(bytes(self._map).ljust(size, b"\0")))

    def _write(self, at: int, data: bytes) -> None:
        # Not struct.pack_into: it writes zeros first, which a reader of the file could see.
        self._map[at : at + len(data)] = data

    def _use(self, area: mmap.mmap | bytearray) -> None:
        self._map, self._values = area, memoryview(area).cast("d")

    def _stay_in_memory(self, error: OSError) -> None:
        self._shared = False  # the file stays open and locked: what it holds is still counted
        log.error("measurements of this process are missing from /metrics from now on: %s: %s", self._folder, error)


def clear(folder: Path) -> None:
    """Remove the files that no living process has locked: for the start of a service, which counts from 0."""
    for path in folder.glob(f"*{SUFFIX}") if folder.is_dir() else ():
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        except BlockingIOError:
            continue
        finally:
            os.close(file)


def _reserve(file: int, begin: int, end: int) -> None:
    """Have the disk keep room: writing into a mapped page that it has no room for would kill the process."""
    if end > begin:
        os.posix_fallocate(file, begin, end - begin)
        os.pwrite(file, bytes(end - begin), begin)


_OPEN: weakref.WeakSet[Cells] = weakref.WeakSet()


def _forget_parents() -> None:
    for cells in list(_OPEN):
        cells._forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
