"""Threads that want to write stand in line; the first writes for all who wait, then the next one leads."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from explainer.errors import ExplainerError, StorageFailed

JOB_ERRORS = (ExplainerError, sqlite3.Error, ValueError, OverflowError)


class Ticket:
    """One waiting write and what came of it."""

    def __init__(self, job: Callable[[sqlite3.Connection], Any]) -> None:
        self._job = job
        self._called = threading.Lock()
        self._called.acquire()
        self.leads = self.done = False
        self._result: Any = None
        self._error: Exception | None = None

    def run(self, connection: sqlite3.Connection) -> bool:
        """Whether the job went well; what it returned or raised is kept for its caller."""
        self._result = self._error = None
        try:
            self._result = self._job(connection)
        except JOB_ERRORS as error:
            self._error = error
        return self._error is None

    def finish(self, error: Exception | None = None) -> None:
        """Let the caller go with what `run` brought, or with `error`; only the first call counts."""
        if not self.done:
            self._error = error or self._error
            self.done = True
            self.call()

    def call(self) -> None:
        self._called.release()

    def wait(self, patience_s: float = -1) -> bool:
        return self._called.acquire(timeout=patience_s)

    def outcome(self) -> Any:
        """What the job returned; raises what it raised, an error of SQLite as StorageFailed."""
        if isinstance(self._error, sqlite3.Error | UnicodeDecodeError):
            raise StorageFailed(f"A record was not kept: {self._error}.") from self._error
        if self._error is not None:
            raise self._error
        return self._result


class Line:
    """Leader and followers, first come, first served. Safe for threads."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._waiting: deque[Ticket] = deque()
        self._guard = threading.Lock()
        self._is_led = False

    def join(self, ticket: Ticket) -> bool:
        """Wait until the ticket is done (False) or its caller is to lead (True): to `take`, finish them, and `leave`.

        A ticket that nobody took within `patience_s` seconds is withdrawn and fails with StorageFailed.
        """
        with self._guard:
            self._waiting.append(ticket)
            if not self._is_led:
                self._is_led = ticket.leads = True
                return True
        try:
            in_time = ticket.wait(self._patience_s)
            if not in_time and not self._withdraw(ticket):
                ticket.wait()
        except BaseException:
            self._abandon(ticket)
            raise
        return not ticket.done

    def take(self) -> list[Ticket]:
        """Everything that waits, the leader's own ticket included."""
        with self._guard:
            batch = list(self._waiting)
            self._waiting.clear()
        return batch

    def leave(self) -> None:
        """Give the lead to whoever waits longest, if anybody does."""
        with self._guard:
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].call()
            else:
                self._is_led = False

    def _withdraw(self, ticket: Ticket) -> bool:
        with self._guard:
            if ticket.leads or ticket not in self._waiting:
                return False
            self._waiting.remove(ticket)
        ticket.finish(StorageFailed(f"A record was not kept: nothing could be written for {self._patience_s:g} s."))
        return True

    def _abandon(self, ticket: Ticket) -> None:
        """The caller was interrupted while it waited: nobody is to wait for it to lead."""
        if not self._withdraw(ticket) and ticket.leads and not ticket.done:
            with self._guard:
                self._waiting.remove(ticket)
            self.leave()
