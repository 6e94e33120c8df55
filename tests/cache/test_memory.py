"""Proves that the memory tier stays within its bound and forgets the least recently used first."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from explainer.cache.memory import OVERHEAD, MemoryTier


def test_the_least_recently_used_goes_first() -> None:
    """Reading an entry keeps it; the one that was not read makes room."""
    tier = MemoryTier(3 * (OVERHEAD + 10))
    tier.put({b"a": b"1" * 10, b"b": b"2" * 10, b"c": b"3" * 10})
    tier.get([b"a"])
    tier.put({b"d": b"4" * 10})
    assert set(tier.get([b"a", b"b", b"c", b"d"])) == {b"a", b"c", b"d"}


def test_a_value_above_the_bound_is_not_kept_and_displaces_nothing() -> None:
    """One huge answer cannot empty the cache."""
    tier = MemoryTier(OVERHEAD + 100)
    tier.put({b"a": b"1"})
    tier.put({b"big": b"x" * 101})
    assert tier.get([b"a", b"big"]) == {b"a": b"1"}


@given(st.lists(st.tuples(st.binary(max_size=2), st.binary(max_size=400)), max_size=60))
def test_the_bound_holds_and_answers_are_the_last_put(puts: list[tuple[bytes, bytes]]) -> None:
    """After any sequence the size is within the bound and no key gives an old value."""
    tier, model = MemoryTier(2000), {}
    for key, value in puts:
        tier.put({key: value})
        model[key] = value
        assert tier.size_bytes <= 2000
    found = tier.get(model)
    assert all(model[key] == value for key, value in found.items())
    assert tier.size_bytes == sum(len(v) + OVERHEAD for v in found.values())


def test_threads_do_not_upset_the_count() -> None:
    """After concurrent puts and gets the books balance."""
    tier = MemoryTier(20 * (OVERHEAD + 8))

    def work(name: int) -> None:
        for i in range(300):
            tier.put({b"%d" % ((name * 7 + i) % 40): b"x" * (i % 9)})
            tier.get([b"%d" % (i % 40)])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = tier.get(b"%d" % i for i in range(40))
    assert tier.size_bytes == sum(len(v) + OVERHEAD for v in found.values()) <= 20 * (OVERHEAD + 8)
