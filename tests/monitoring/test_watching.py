"""Proves that a tier with meters around it answers as before, and that the meters see what it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from explainer.monitoring.watching import WatchedTier
from tests.monitoring.conftest import Measured


class FailingTier:
    """Answers what it was given until `broken`, then nothing, and counts that."""

    name = "disk"

    def __init__(self) -> None:
        self.held: dict[bytes, str] = {}
        self.broken = self.closed = False
        self.errors = 0

    def get(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        if self.broken:
            self.errors += 2
            return {}
        return {key: self.held[key] for key in keys if key in self.held}

    def put(self, entries: Mapping[bytes, str]) -> None:
        self.held.update(entries)

    def remove(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self.held.pop(key, None)

    def erase(self, keys: Iterable[bytes]) -> bool:
        self.remove(keys)
        return not self.broken

    def stats(self) -> dict[str, int]:
        return {"errors": self.errors, "bytes": 100 * len(self.held)}

    def close(self) -> None:
        self.closed = True


def test_everything_is_passed_on_and_counted(measured: Measured) -> None:
    """Hits, misses, size and failures of a tier are in the metrics under its name."""
    tier = FailingTier()
    watched = WatchedTier(tier, measured.meters, own=False, look_every_s=0)
    watched.put({b"a": "1", b"b": "2"})
    assert watched.get(key for key in (b"a", b"x", b"b")) == {b"a": "1", b"b": "2"}
    assert measured.value("explainer_cache_lookups_total", tier="disk", outcome="hit") == 2
    assert measured.value("explainer_cache_lookups_total", tier="disk", outcome="miss") == 1
    assert measured.value("explainer_cache_shared_bytes", tier="disk") == 200
    assert measured.value("explainer_cache_errors_total", tier="disk") is None
    tier.broken = True
    assert watched.get([b"a"]) == {}
    assert watched.get([b"a"]) == {}
    assert measured.value("explainer_cache_errors_total", tier="disk") == 4
    assert not watched.erase([b"b"])
    watched.remove([b"a"])
    assert tier.held == {}
    watched.close()
    assert tier.closed
    assert watched.stats() == {"errors": 4, "bytes": 0}


def test_the_memory_of_all_processes_is_added_up(measured: Measured) -> None:
    """A tier that each process has for itself is counted as such."""
    WatchedTier(FailingTier(), measured.meters, own=True, look_every_s=0).put({b"a": "1"})
    assert measured.value("explainer_cache_memory_bytes") == 100
