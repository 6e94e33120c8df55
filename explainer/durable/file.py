"""A SQLite file with group commit: readers beside one writer at a time, and every failure said."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from explainer.durable.disk import Identity, Turn, create_private
from explainer.durable.layout import lay_out, statements
from explainer.durable.line import Line, Ticket
from explainer.errors import StorageFailed

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]
# UnicodeDecodeError: SQLite quotes the rubbish of a damaged file in its messages.
FILE_ERRORS = (sqlite3.Error, OSError, UnicodeDecodeError, StorageFailed)


class DurableFile:
    """Group commit: whoever reaches the disk first takes along everything that waits (leader and followers).

    Safe for threads and for several processes; a process forked from one that has the file open gets its own
    connections. Every failure of the file is raised as StorageFailed: nothing is acknowledged that was not kept.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        version: int = 1,
        steps: Mapping[int, str] | None = None,
        busy_timeout_s: float = 10.0,
    ) -> None:
        """Open or create `path` (mode 600) with the statements of `schema`; `version` is kept in the file.

        `steps` holds the statements that lead from an older version of the layout to the next one.
        """
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._closed = False
        self._turn = Turn(path)
        self._reset()
        _OPEN.add(self)
        with self._translated("opened"):
            create_private(path)
            self._identity = Identity(path)
            connection = self._connect()
            try:
                lay_out(connection, path, schema, version, steps or {})
            finally:
                connection.close()

    def write(self, job: Job[T]) -> T:
        """Run `job` inside a transaction and return its result once that is on disk.

        A job may be run a second time after a rollback, so it must touch nothing but the connection. What it raises
        (an ExplainerError, ValueError) reaches its own caller and undoes its own statements only.
        """
        if self._closed:
            raise self._was_closed()
        ticket, line = Ticket(job), self._line
        if line.join(ticket):
            try:
                self._settle(line.take())
            finally:
                line.leave()
        result: T = ticket.outcome()
        return result

    def add(self, schema: str) -> None:
        """Make the tables of `schema`, each by CREATE ... IF NOT EXISTS: several rooms may share one file."""

        def make(connection: sqlite3.Connection) -> None:
            for statement in statements(schema):
                connection.execute(statement)

        self.write(make)

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
        self._closed = True
        while not self._line.join(last := Ticket(lambda _: None)):
            continue  # another thread was writing and took this ticket along; it will not do so again
        for ticket in self._line.take():
            ticket.finish(None if ticket is last else self._was_closed())
        self._drop_writer()
        while self._readers:
            self._readers.pop().close()
        self._turn.let_go()
        self._line.leave()

    def _reset(self) -> None:
        self._line = Line(self._busy_timeout_s)
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []
        self._turn.let_go()

    def _forget_parent(self) -> None:
        _INHERITED.extend([*self._readers, *([self._writer] if self._writer else [])])
        self._reset()

    def _connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        if self._closed:
            raise self._was_closed()
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

    def _settle(self, batch: Sequence[Ticket]) -> None:
        try:
            with self._turn.held():
                if not self._attempt(batch) and len(batch) > 1:
                    for ticket in batch:
                        self._attempt([ticket])
        except FILE_ERRORS as error:
            for ticket in batch:
                ticket.finish(self._failure("written", error))
            self._drop_writer()
        finally:
            self._leave_nothing_open(batch)

    def _attempt(self, batch: Sequence[Ticket]) -> bool:
        """Commit all of the batch, or roll all of it back as soon as one job fails and return False."""
        if self._closed:
            raise self._was_closed()
        self._identity.check()
        if self._writer is None:
            self._writer = self._connect()
        self._writer.execute("BEGIN IMMEDIATE")
        for ticket in batch:
            if not ticket.run(self._writer):
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if len(batch) == 1:
                    ticket.finish()
                return False
        self._writer.execute("COMMIT")
        for ticket in batch:
            ticket.finish()
        return True

    def _leave_nothing_open(self, batch: Sequence[Ticket]) -> None:
        if self._writer is not None and self._writer.in_transaction:
            self._drop_writer()
        for ticket in batch:
            ticket.finish(None if ticket.done else StorageFailed(f"A write to {self.path} was interrupted."))

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

    def _was_closed(self) -> StorageFailed:
        return StorageFailed(f"{self.path} was closed by this process.")

    def _failure(self, verb: str, error: Exception) -> StorageFailed:
        if isinstance(error, StorageFailed):
            return StorageFailed(error.detail)
        return StorageFailed(f"{self.path} could not be {verb}: {error}. Check the disk, or restore a backup.")


_OPEN: weakref.WeakSet[DurableFile] = weakref.WeakSet()
_INHERITED: list[sqlite3.Connection] = []  # never closed here: that would harm the parent's connections


def _forget_parents() -> None:
    for file in list(_OPEN):
        file._forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
