"""Proves that the memory tier stays within its bound and forgets the least recently used first."""

from __future__ import annotations

import threading
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from explainer.cache.memory import OVERHEAD, MemoryTier
from explainer.cache.stamp import Stamp
from tests.cache.plain import get, put


def test_the_least_recently_used_goes_first() -> None:
    """Reading an entry keeps it; the one that was not read makes room."""
    tier = MemoryTier(3 * (OVERHEAD + 10))
    put(tier, {b"a": b"1" * 10, b"b": b"2" * 10, b"c": b"3" * 10})
    get(tier, [b"a"])
    put(tier, {b"d": b"4" * 10})
    assert set(get(tier, [b"a", b"b", b"c", b"d"])) == {b"a", b"c", b"d"}


def test_a_value_above_the_bound_is_not_kept_and_displaces_nothing() -> None:
    """One huge answer cannot empty the cache."""
    tier = MemoryTier(OVERHEAD + 100)
    put(tier, {b"a": b"1"})
    put(tier, {b"big": b"x" * 101})
    assert get(tier, [b"a", b"big"]) == {b"a": b"1"}


@given(st.lists(st.tuples(st.binary(max_size=2), st.binary(max_size=400)), max_size=60))
def test_the_bound_holds_and_answers_are_the_last_put(puts: list[tuple[bytes, bytes]]) -> None:
    """After any sequence the size is within the bound and no key gives an old value."""
    tier, model = MemoryTier(2000), {}
    for key, value in puts:
        put(tier, {key: value})
        model[key] = value
        assert tier.size_bytes <= 2000
    found = get(tier, model)
    assert all(model[key] == value for key, value in found.items())
    assert tier.size_bytes == sum(len(v) + OVERHEAD for v in found.values())


def test_threads_do_not_upset_the_count() -> None:
    """After concurrent puts and gets the books balance."""
    tier = MemoryTier(20 * (OVERHEAD + 8))

    def work(name: int) -> None:
        for i in range(300):
            put(tier, {b"%d" % ((name * 7 + i) % 40): b"x" * (i % 9)})
            get(tier, [b"%d" % (i % 40)])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = get(tier, [b"%d" % i for i in range(40)])
    assert tier.size_bytes == sum(len(v) + OVERHEAD for v in found.values()) <= 20 * (OVERHEAD + 8)


def test_what_the_tier_did_is_counted() -> None:
    """Hits, misses, evictions, entries and bytes are those of the calls made; closing forgets all."""
    tier = MemoryTier(5 * (OVERHEAD + 10))
    put(tier, {b"%d" % i: b"x" * 10 for i in range(8)})
    tier.get([b"0", b"7"])
    tier.remove([b"6", b"unknown"])
    assert tier.stats() == {
        "hits": 1,
        "misses": 1,
        "errors": 0,
        "evictions": 3,
        "bytes": 4 * (OVERHEAD + 10),
        "entries": 4,
    }
    tier.close()
    assert (tier.get([b"7"]), tier.size_bytes) == ({}, 0)


def test_a_renewed_stamp_empties_it(tmp_path: Path) -> None:
    """What was held is gone at the next question, by whichever process the stamp was renewed; later puts are kept."""
    tier = MemoryTier(10_000, Stamp(tmp_path / "stamp"))
    put(tier, {b"a": b"1"})
    assert get(tier, [b"a"]) == {b"a": b"1"}
    Stamp(tmp_path / "stamp").renew()
    assert get(tier, [b"a"]) == {}
    assert tier.size_bytes == 0
    put(tier, {b"b": b"2"})
    assert get(tier, [b"a", b"b"]) == {b"b": b"2"}


def test_what_is_erased_is_gone() -> None:
    """That and nothing else."""
    tier = MemoryTier(10_000)
    put(tier, {b"a": b"1", b"b": b"2"})
    assert tier.erase([b"a", b"unknown"])
    assert get(tier, [b"a", b"b"]) == {b"b": b"2"}
