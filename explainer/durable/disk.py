"""The file itself: made private, held by one process at a time while it writes, and seen to be the same one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explainer.errors import StorageFailed


def create_private(path: Path) -> None:
    """Make sure that `path` and its folder exist; a new file is readable by its owner only. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Only a new file is opened here: closing one that SQLite has open would drop this process's locks on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


class Turn:
    """Which process writes: the kernel wakes the next one at once, where SQLite's own waiting sleeps and starves.

    The lock is of a file beside the database. It falls when its process ends, however that ends.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._descriptor: int | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for this process's turn; raises OSError when the lock's file cannot be opened."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def let_go(self) -> None:
        """Close the lock's file; in a forked process this leaves the parent's lock as it is."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Identity:
    """Which file it was at the beginning.

    SQLite would go on writing into a file that was removed: acknowledged, and lost. Once seen, it stays refused: a
    ledger must not begin anew on the quiet.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._inode = os.stat(self._path).st_ino  # noqa: PTH116  a Path here costs more than the call itself
        self._lost = False

    def check(self) -> None:
        """Raises StorageFailed when the name leads to another file, or to none."""
        if not self._lost:
            try:
                self._lost = os.stat(self._path).st_ino != self._inode  # noqa: PTH116
            except FileNotFoundError:
                self._lost = True
        if self._lost:
            raise StorageFailed(f"{self._path} was removed or replaced while it was in use; restart the service.")
