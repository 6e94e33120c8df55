"""A SQLite file that may be lost or damaged at any time: readers do not wait for writers, and no error leaves it."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from explainer.durable import create_private

log = logging.getLogger(__name__)

Action = Callable[[sqlite3.Connection], None]
Opened = tuple[sqlite3.Connection, int]  # a connection and the inode of the file that it works on
LARGEST = 32 << 20  # bytes that SQLite may read for one value, whatever a damaged file claims
# What the machine does to a sound file. Any other error means that the file is not what this program wrote.
TRANSIENT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    }
)
ERRORS = (sqlite3.Error, UnicodeDecodeError, OSError, MemoryError)  # SQLite quotes rubbish in its messages
# No mmap_size: a file that is cut while it is mapped ends the process with SIGBUS.
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "journal_size_limit=4194304", "cache_size=-512")


class LossyFile:
    """Connections to one file, safe for threads and processes.

    A damaged file is moved to `<name>.damaged` and a new one begun; after an error of the disk, reading or writing
    rests for `rest_s` seconds.
    """

    def __init__(self, path: Path, schema: str, layout: int, *, rest_s: float, busy_timeout_s: float) -> None:
        """`layout` is kept in the file: entries of a file with another one are dropped."""
        self.path = path
        self._schema, self._layout = schema, layout
        self._rest_s = rest_s
        self._busy_timeout_s = busy_timeout_s
        self._rests_until = {"read": 0.0, "written": 0.0}
        self._abandoned: list[sqlite3.Connection] = []  # never closed: that would harm a parent's or the new file
        self._begin()
        _OPEN.add(self)

    def read(self, action: Action) -> bool:
        """Run `action` with a connection of its own; False when it could not be done."""
        return self._guarded("read", lambda: self._reading(action))

    def write(self, action: Action) -> bool:
        """Run `action` in a transaction; False when nothing was written."""
        with self._writing:
            return self._guarded("written", lambda: self._committing(action))

    def close(self) -> None:
        """Close every connection; the next call opens the file again."""
        with self._writing:
            self._let_go()

    def _begin(self) -> None:
        self._inode = 0
        self._writing = threading.Lock()
        self._swapping = threading.Lock()
        self._writer: Opened | None = None
        self._idle: list[Opened] = []

    def _forget_parent(self) -> None:
        self._abandoned += [connection for connection, _ in [*self._idle, *([self._writer] if self._writer else [])]]
        self._begin()

    def _reading(self, action: Action) -> None:
        opened = self._idle_one() or self._open()
        try:
            action(opened[0])
        finally:
            self._idle.append(opened)

    def _idle_one(self) -> Opened | None:
        while self._idle:
            try:
                opened = self._idle.pop()
            except IndexError:  # another thread was quicker
                return None
            if opened[1] == self._inode:
                return opened
            self._abandoned.append(opened[0])
        return None

    def _committing(self, action: Action) -> None:
        if self._writer is None or self._writer[1] != self._inode:
            self._drop_writer()
            self._writer = self._open()
        connection = self._writer[0]
        try:
            connection.execute("BEGIN IMMEDIATE")
            action(connection)
            connection.execute("COMMIT")
        except BaseException:
            self._drop_writer()
            raise

    def _guarded(self, verb: str, attempt: Callable[[], None]) -> bool:
        if time.monotonic() < self._rests_until[verb]:
            return False
        inode = self._inode
        try:
            attempt()
        except ERRORS as error:
            if self._is_transient(error):
                self._rest(verb, error)
            else:
                self._set_aside(inode or self._inode, verb, error)
            return False
        return True

    def _is_transient(self, error: Exception) -> bool:
        if not isinstance(error, sqlite3.Error):
            return isinstance(error, OSError | MemoryError)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_READONLY:  # damage at byte 18 says the same of a file that may be written
            return not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK))
        return code in TRANSIENT

    def _open(self) -> Opened:
        create_private(self.path)
        with self._alone():
            inode = self._inode = self.path.stat().st_ino
            connection = sqlite3.connect(
                self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
            )
            try:
                self._lay_out(connection)
            except BaseException:
                connection.close()
                raise
        return connection, inode

    def _lay_out(self, connection: sqlite3.Connection) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if connection.execute("PRAGMA user_version").fetchone()[0] != self._layout:
            connection.executescript(f"BEGIN IMMEDIATE; {self._schema}; PRAGMA user_version={self._layout}; COMMIT")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off whoever would open the file or move it away at this moment."""
        with self._swapping, self.path.with_name(self.path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _rest(self, verb: str, error: Exception) -> None:
        log.warning("cache %s is not %s for %.0f s: %s", self.path, verb, self._rest_s, error)
        self._rests_until[verb] = time.monotonic() + self._rest_s
        self._let_go_idle()  # one that reads a file cut to nothing would lock out every writer

    def _set_aside(self, inode: int, verb: str, error: Exception) -> None:
        try:
            with self._alone():
                if self.path.exists() and self.path.stat().st_ino == inode:
                    log.warning("cache %s is damaged (%s): it is moved to %s.damaged", self.path, error, self.path.name)
                    self._let_go_idle()
                    self._move_away()
                else:
                    log.warning("cache %s was replaced (%s): the new file is opened", self.path, error)
                self._inode = 0
        except OSError as failure:
            self._rest(verb, failure)

    def _move_away(self) -> None:
        # The log first: left behind, it would be replayed into the new file.
        for suffix in ("-wal", "-shm", ""):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.replace(self.path.with_name(f"{self.path.name}.damaged{suffix}"))

    def _let_go(self) -> None:
        self._drop_writer()
        self._let_go_idle()

    def _let_go_idle(self) -> None:
        while self._idle:
            self._close(self._idle.pop())

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            self._close(writer)

    def _close(self, opened: Opened) -> None:
        connection, inode = opened
        if inode != self._inode:
            self._abandoned.append(connection)
            return
        try:
            connection.close()
        except sqlite3.Error as error:
            log.warning("cache %s was not closed cleanly: %s", self.path, error)


_OPEN: weakref.WeakSet[LossyFile] = weakref.WeakSet()


def _forget_parents() -> None:
    for file in list(_OPEN):
        file._forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
