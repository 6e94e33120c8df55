"""Notices at once, for a microsecond or two, that a process changed who may come in; remembers records until then."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Generic, TypeVar

from explainer.durable import DurableFile

K = TypeVar("K")
V = TypeVar("V")
MOST = 10_000


class Watch:
    """Keeps one reading connection on the file. All methods raise StorageFailed when the file cannot be read."""

    _connection: sqlite3.Connection | None
    _written: int
    _number: int

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        self._reset()
        _OPEN.add(self)

    def generation(self) -> int:
        """Return a number that differs after every committed change of a key, a person or a session by any process.

        SQLite's data_version tells whether anybody wrote; only then the number itself is read.
        """
        with self._lock:
            if self._connection is None:
                self._lending = ExitStack()
                self._connection = self._lending.enter_context(self._file.reading())
            try:
                written = self._connection.execute("PRAGMA data_version").fetchall()[0][0]
                if written != self._written:
                    found = self._connection.execute("SELECT number FROM generation").fetchall()[0][0]
                    self._number, self._written = found, written
            except sqlite3.Error:
                self._connection, self._written = None, -1
                with self._lending:  # the file closes the connection and raises StorageFailed with the reason
                    raise
            return self._number

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection, self._written = None, -1
                self._lending.close()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._lending = ExitStack()
        self._connection = None
        self._written = -1
        self._number = -1

    def _forget_parent(self) -> None:
        _INHERITED.append(self._lending)
        self._reset()


class Remembered(Generic[K, V]):
    """Records by key, as they are in the file at this moment; what is not there is asked for each time."""

    def __init__(self, watch: Watch, load: Callable[[K], V | None], *, most: int = MOST) -> None:
        self._watch = watch
        self._load = load
        self._most = most
        self._known: dict[K, V] = {}
        self._of = -1

    def get(self, key: K) -> V | None:
        known = self._current()
        found = known.get(key)
        return self._add(known, key) if found is None else found

    def again(self, key: K) -> V | None:
        """Read the record anew, for what changes without a new generation: when it was last used."""
        return self._add(self._current(), key)

    def _add(self, known: dict[K, V], key: K) -> V | None:
        # Read after the generation was, and kept with that generation's records only: it cannot be older than they are.
        loaded = self._load(key)
        if loaded is not None:
            if len(known) >= self._most:
                known.clear()
            known[key] = loaded
        return loaded

    def _current(self) -> dict[K, V]:
        generation = self._watch.generation()
        if generation != self._of:
            self._known = {}
            self._of = generation
        return self._known


_OPEN: weakref.WeakSet[Watch] = weakref.WeakSet()
_INHERITED: list[ExitStack] = []  # never closed here: that would harm the parent's connections


def _forget_parents() -> None:
    for watch in list(_OPEN):
        watch._forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
