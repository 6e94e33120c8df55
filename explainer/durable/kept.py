"""A small table as it is in the file at this moment, read anew only after somebody wrote to that file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Generic, TypeVar

from explainer.durable.file import DurableFile

T = TypeVar("T")


class Kept(Generic[T]):
    """What `load` reads from the file; safe for threads and for processes forked later.

    SQLite's data_version tells within about two microseconds whether any connection but this one wrote.
    """

    _process: int
    _lock: threading.Lock
    _lending: ExitStack
    _connection: sqlite3.Connection | None
    _written: int
    _value: T

    def __init__(self, file: DurableFile, load: Callable[[sqlite3.Connection], T]) -> None:
        self._file, self._load = file, load
        self._begin()

    def now(self) -> T:
        """Raises StorageFailed when the file cannot be read."""
        if self._process != os.getpid():
            _PARENTS.append(self._lending)  # closing it here would harm the parent's connection
            self._begin()
        with self._lock:
            if self._connection is None:
                self._lending = ExitStack()
                self._connection = self._lending.enter_context(self._file.reading())
            try:
                written = self._connection.execute("PRAGMA data_version").fetchall()[0][0]
                if written != self._written:
                    self._value = self._load(self._connection)
                    self._written = written
            except sqlite3.Error:
                self._connection, self._written = None, -1
                with self._lending:  # the file closes the connection and raises StorageFailed with the reason
                    raise
            return self._value

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._lending = ExitStack()
        self._connection = None
        self._written = -1


_PARENTS: list[ExitStack] = []
