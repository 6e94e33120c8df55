"""The leases that this process holds: renewed while it computes, so that they can be short."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping

RENEWED_FOR_S = 120.0  # a computation that takes longer may be begun elsewhere too


class Holding:
    """Keys with the random token that proves each lease to be ours; safe for threads."""

    def __init__(self, renew: Callable[[Mapping[bytes, bytes]], None], every_s: float) -> None:
        """`renew` is called with what is held, every `every_s` seconds while anything is."""
        self._renew = renew
        self._every_s = every_s
        self._lock = threading.Lock()
        self._held: dict[bytes, tuple[bytes, float]] = {}
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def hold(self, tokens: Mapping[bytes, bytes]) -> None:
        """Note that these keys are held."""
        if not tokens:
            return
        now = time.monotonic()
        with self._lock:
            if self._pid != os.getpid():  # what a parent holds is the parent's
                self._held, self._thread, self._pid = {}, None, os.getpid()
            self._held |= {key: (token, now) for key, token in tokens.items()}
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cache leases", daemon=True)
                self._thread.start()

    def let_go(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return those of the keys that are held, with their tokens, and hold them no longer."""
        if not self._held:
            return {}
        with self._lock:
            return {key: self._held.pop(key)[0] for key in set(keys) & self._held.keys()}

    def _work(self) -> None:
        while True:
            time.sleep(self._every_s)
            oldest = time.monotonic() - RENEWED_FOR_S
            with self._lock:
                self._held = {key: (token, since) for key, (token, since) in self._held.items() if since > oldest}
                tokens = {key: token for key, (token, _) in self._held.items()}
                if not tokens:
                    self._thread = None
                    return
            self._renew(tokens)
