"""What one thread is computing, for the others of its process that ask for the same."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType

from explainer.errors import Cancelled


class Flight:
    """Answers that others read once it has `landed`."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self._shared: dict[bytes, bytes] = {}
        self._error: Exception | None = None

    def __enter__(self) -> Flight:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self._error = error

    def share(self, answers: Mapping[bytes, tuple[bytes, bool]]) -> None:
        self._shared.update({key: answer for key, (answer, may_be_shared) in answers.items() if may_be_shared})

    def wait(self, key: bytes, patience_s: float | None) -> bytes | None:
        """Return the shared answer, None when there is none to share; raises the computing thread's error."""
        if not self.landed.wait(patience_s):
            return None
        if isinstance(self._error, Cancelled):
            return None  # its own caller has gone: whoever still waits computes
        if self._error is not None:
            raise self._error
        return self._shared.get(key)
