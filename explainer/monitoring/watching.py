"""A tier of the cache with meters around it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar

from explainer.monitoring.meters import Meters

V = TypeVar("V")


class Tier(Protocol[V]):
    """What the meters know of a tier; `stats` has the counts `errors` and `bytes`."""

    name: str

    def get(self, keys: Iterable[bytes]) -> dict[bytes, V]: ...

    def put(self, entries: Mapping[bytes, V]) -> None: ...

    def remove(self, keys: Iterable[bytes]) -> None: ...

    def erase(self, keys: Iterable[bytes]) -> bool: ...

    def stats(self) -> dict[str, int]: ...

    def close(self) -> None: ...


class WatchedTier(Generic[V]):
    """Passes everything on. Errors and size are looked at now and then, when something was put or nothing was found."""

    def __init__(self, tier: Tier[V], meters: Meters, *, own: bool, look_every_s: float = 5.0) -> None:
        """`own` says that each process has a tier of its own; a look may be a question to a server."""
        self.name = tier.name
        self._tier, self._meters, self._own = tier, meters, own
        self._errors = 0
        self._every_s = look_every_s
        self._looked = -look_every_s

    def get(self, keys: Iterable[bytes]) -> dict[bytes, V]:
        wanted = list(keys)
        found = self._tier.get(wanted)
        self._meters.looked_up(self.name, hits=len(found), misses=len(wanted) - len(found))
        if not found:
            self._look()
        return found

    def put(self, entries: Mapping[bytes, V]) -> None:
        self._tier.put(entries)
        self._look()

    def remove(self, keys: Iterable[bytes]) -> None:
        self._tier.remove(keys)

    def erase(self, keys: Iterable[bytes]) -> bool:
        return self._tier.erase(keys)

    def stats(self) -> dict[str, int]:
        return self._tier.stats()

    def close(self) -> None:
        self._tier.close()

    def _look(self) -> None:
        if (now := time.monotonic()) - self._looked < self._every_s:
            return
        self._looked = now
        stats = self._tier.stats()
        errors = stats.get("errors", 0)
        if errors > self._errors:
            self._meters.cache_failed(self.name, errors - self._errors)
            self._errors = errors
        if "bytes" in stats:
            self._meters.cache_holds(self.name, stats["bytes"], own=self._own)
