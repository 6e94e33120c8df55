"""One SQLite file whose writes return only when they are on disk; concurrent writers share a transaction."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from explainer.errors import ExplainerError, StorageFailed

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]
# UnicodeDecodeError: SQLite quotes the rubbish of a damaged file in its messages.
FILE_ERRORS = (sqlite3.Error, OSError, UnicodeDecodeError, StorageFailed)
JOB_ERRORS = (ExplainerError, sqlite3.Error, ValueError, OverflowError)


class DurableFile:
    """Group commit: whoever reaches the disk first takes along everything that waits (leader and followers).

    Safe for threads and for several processes; a process forked from one that has the file open gets its own
    connections. Every failure of the file is raised as StorageFailed: nothing is acknowledged that was not kept.
    """

    def __init__(self, path: Path, schema: str, *, version: int = 1, busy_timeout_s: float = 10.0) -> None:
        """Open or create `path` (mode 600) with the statements of `schema`; `version` is kept in the file."""
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._closed = self._lost = False
        self._reset()
        _OPEN.add(self)
        with self._translated("opened"):
            create_private(path)
            self._inode = path.stat().st_ino
            connection = self._connect()
            try:
                self._lay_out(connection, schema, version)
            finally:
                connection.close()

    def write(self, job: Job[T]) -> T:
        """Run `job` inside a transaction and return its result once that is on disk.

        A job may be run a second time after a rollback, so it must touch nothing but the connection. What it raises
        (an ExplainerError, ValueError) reaches its own caller and undoes its own statements only.
        """
        ticket = _Ticket(job)
        self._queue.append(ticket)
        with self._leader:
            if not ticket.done:
                self._settle([self._queue.popleft() for _ in range(len(self._queue))])
        result: T = ticket.outcome()
        return result

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that can only read; writers go on meanwhile."""
        with self._translated("read"):
            connection = self._readers.pop() if self._readers else self._connect(read_only=True)
            try:
                yield connection
                self._readers.append(connection)
            except BaseException:
                connection.close()
                raise

    def backup_to(self, path: Path) -> None:
        """Write to `path` (mode 600), which must not be there yet, a consistent copy of this moment; writers go on.

        By SQLite's own backup: copying the files of a database in use would tear it. The copy is one file, checked
        and on disk.
        """
        with self.reading() as connection, self._translated("copied"):
            create_private(path)
            copy = sqlite3.connect(path, isolation_level=None)
            try:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                found = copy.execute("PRAGMA quick_check").fetchone()[0]
            finally:
                copy.close()
            if found != "ok":
                raise StorageFailed(f"The copy of {self.path} is damaged: {found}. Check the disk.")

    def close(self) -> None:
        """Close every connection; later calls raise StorageFailed."""
        with self._leader:
            self._closed = True
            self._drop_writer()
            while self._readers:
                self._readers.pop().close()

    def _reset(self) -> None:
        self._queue: deque[_Ticket] = deque()
        self._leader = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []

    def _forget_parent(self) -> None:
        _INHERITED.extend([*self._readers, *([self._writer] if self._writer else [])])
        self._reset()

    def _connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        if self._closed:
            raise StorageFailed(f"{self.path} was closed by this process.")
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        self._use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # Two processes that switch a new file to WAL at once: SQLite refuses one of them without waiting.
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _lay_out(self, connection: sqlite3.Connection, schema: str, version: int) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {schema}; PRAGMA user_version={version}; COMMIT;")
        elif found != version:
            raise StorageFailed(
                f"{self.path} has layout {found}, this program works with layout {version}: "
                "run the program that wrote it, or restore a backup made for this one."
            )

    def _settle(self, batch: Sequence[_Ticket]) -> None:
        try:
            if self._attempt(batch) or len(batch) == 1:
                return
            for ticket in batch:
                ticket.renew()
                self._attempt([ticket])
        except FILE_ERRORS as error:
            for ticket in batch:
                ticket.fail(self._failure("written", error))
            self._drop_writer()
        finally:
            self._leave_nothing_open(batch)

    def _attempt(self, batch: Sequence[_Ticket]) -> bool:
        """Commit all of the batch, or roll all of it back as soon as one job fails and return False."""
        self._check_same_file()
        if self._writer is None:
            self._writer = self._connect()
        self._writer.execute("BEGIN IMMEDIATE")
        for ticket in batch:
            if not ticket.run(self._writer):
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if len(batch) == 1:
                    ticket.done = True
                return False
        self._writer.execute("COMMIT")
        for ticket in batch:
            ticket.done = True
        return True

    def _check_same_file(self) -> None:
        # SQLite would go on writing into a file that was removed: acknowledged, and lost. Once seen, it stays refused:
        # a ledger must not begin anew on the quiet.
        self._lost = self._lost or not self.path.exists() or self.path.stat().st_ino != self._inode
        if self._lost:
            raise StorageFailed(f"{self.path} was removed or replaced while it was in use; restart the service.")

    def _leave_nothing_open(self, batch: Sequence[_Ticket]) -> None:
        if self._writer is not None and self._writer.in_transaction:
            self._drop_writer()
        for ticket in batch:
            if not ticket.done:
                ticket.fail(StorageFailed(f"A write to {self.path} was interrupted; it was not kept."))

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except FILE_ERRORS as error:
            raise self._failure(verb, error) from error

    def _failure(self, verb: str, error: Exception) -> StorageFailed:
        if isinstance(error, StorageFailed):
            return StorageFailed(error.detail)
        return StorageFailed(f"{self.path} could not be {verb}: {error}. Check the disk, or restore a backup.")


class _Ticket:
    """One waiting write and what came of it."""

    def __init__(self, job: Job[Any]) -> None:
        self._job = job
        self.renew()

    def renew(self) -> None:
        self.done = False
        self._result: Any = None
        self._error: Exception | None = None

    def run(self, connection: sqlite3.Connection) -> bool:
        try:
            self._result = self._job(connection)
        except JOB_ERRORS as error:
            self._error = error
        return self._error is None

    def fail(self, error: Exception) -> None:
        if not self.done:
            self.done, self._error = True, error

    def outcome(self) -> Any:
        if isinstance(self._error, sqlite3.Error | UnicodeDecodeError):
            raise StorageFailed(f"A record was not kept: {self._error}.") from self._error
        if self._error is not None:
            raise self._error
        return self._result


def create_private(path: Path) -> None:
    """Make sure that `path` and its folder exist; a new file is readable by its owner only. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Only a new file is opened here: closing one that SQLite has open would drop this process's locks on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


_OPEN: weakref.WeakSet[DurableFile] = weakref.WeakSet()
_INHERITED: list[sqlite3.Connection] = []  # never closed here: that would harm the parent's connections


def _forget_parents() -> None:
    for file in list(_OPEN):
        file._forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
