"""The form of a tier: where answers may be found again, with when they were computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """An answer and when it was computed, in milliseconds since 1970 by the clock of the host that did."""

    value: bytes
    written_ms: int


class Tier(Protocol):
    """Entries by key. A tier may forget anything at any time; it never answers other bytes than were put.

    No method raises: a tier that fails says so in the log and answers nothing.
    """

    name: str  # what `stats` and metrics call it

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Entry]: ...

    def put(self, entries: Mapping[bytes, Entry]) -> None: ...

    def remove(self, keys: Iterable[bytes]) -> None: ...

    def erase(self, keys: Iterable[bytes]) -> bool:
        """Remove for good: what was written is overwritten. False where that is not certain."""
        ...

    def stats(self) -> dict[str, int]:
        """Return counts since the start (hits, misses, errors, evictions) and the bytes held now."""
        ...

    def close(self) -> None: ...


class Leases(Protocol):
    """Who computes what among several hosts. A lease ends by itself; nothing is lost without it but time."""

    def claim(self, keys: Iterable[bytes]) -> tuple[set[bytes], dict[bytes, Entry]]:
        """Return the keys that the caller shall compute, and entries that are known by now; others compute the rest."""
        ...

    def release(self, keys: Iterable[bytes]) -> None:
        """Give back claimed keys; those that are put before this are found by whoever waits."""
        ...

    def wait(self, keys: Iterable[bytes], patience_s: float) -> dict[bytes, Entry]:
        """Return what others computed meanwhile; ends early for keys that nobody computes any more."""
        ...
