"""Proves that only what is missing is computed, once, and that nothing is shared that may not be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.cache.lifetime import now_ms
from explainer.cache.memory import MemoryTier
from explainer.cache.ports import Entry
from explainer.cache.sqlite import DiskTier
from explainer.cache.stamp import Stamp
from explainer.cache.tiers import Cache, NoCache
from explainer.errors import Cancelled


class Shelf:
    """A tier that never forgets and notes what was asked of it."""

    name = "shelf"

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.asked: list[list[bytes]] = []
        self.sure = True

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Entry]:
        wanted = list(keys)
        self.asked.append(wanted)
        return {k: Entry(self.values[k], now_ms()) for k in wanted if k in self.values}

    def put(self, entries: Mapping[bytes, Entry]) -> None:
        self.values.update({key: entry.value for key, entry in entries.items()})

    def remove(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self.values.pop(key, None)

    def erase(self, keys: Iterable[bytes]) -> bool:
        self.remove(keys)
        return self.sure

    def stats(self) -> dict[str, int]:
        return {"bytes": sum(map(len, self.values.values()))}

    def close(self) -> None:
        self.values.clear()


class Work:
    """Computes b'<key>!' and notes which positions it was given."""

    def __init__(self, keys: list[bytes], keep: bool = True) -> None:
        self.keys, self.keep = keys, keep
        self.calls: list[list[int]] = []

    def __call__(self, missing: list[int]) -> list[tuple[bytes, bool]]:
        self.calls.append(missing)
        return [(self.keys[i] + b"!", self.keep) for i in missing]


def test_only_missing_keys_are_computed_and_each_says_hit_or_miss() -> None:
    """Known keys come from the tier, the others from one call with their positions."""
    shelf, keys = Shelf(), [b"a", b"b", b"c", b"d"]
    shelf.values = {b"b": b"B", b"d": b"D"}
    work = Work(keys)
    assert Cache([shelf]).through(keys, work) == [(b"a!", False), (b"B", True), (b"c!", False), (b"D", True)]
    assert work.calls == [[0, 2]]


def test_a_hit_is_the_same_bytes_as_the_miss() -> None:
    """The second asking gets what the first got, and computes nothing."""
    cache, keys = Cache([MemoryTier(10_000)]), [b"a", b"b"]
    first, work = cache.through(keys, Work(keys)), Work(keys)
    second = cache.through(keys, work)
    assert [answer for answer, _ in second] == [answer for answer, _ in first]
    assert ([hit for _, hit in second], work.calls) == ([True, True], [])


def test_a_key_that_is_asked_twice_is_computed_once() -> None:
    """Equal rows in one request share one computation."""
    keys = [b"a", b"b", b"a", b"a"]
    work = Work(keys)
    assert [a for a, _ in Cache([]).through(keys, work)] == [b"a!", b"b!", b"a!", b"a!"]
    assert work.calls == [[0, 1]]


def test_no_keys_need_no_work() -> None:
    """An empty request computes nothing."""
    work = Work([])
    assert Cache([Shelf()]).through([], work) == []
    assert work.calls == []


def test_a_find_in_a_slower_tier_is_put_into_the_quicker() -> None:
    """The next look does not reach the slow tier."""
    quick, slow = Shelf(), Shelf()
    slow.values = {b"a": b"A"}
    cache = Cache([quick, slow])
    cache.through([b"a"], Work([b"a"]))
    slow.asked.clear()
    assert cache.through([b"a"], Work([b"a"])) == [(b"A", True)]
    assert slow.asked == []


def test_answers_marked_not_to_be_kept_are_given_but_not_stored() -> None:
    """What a deadline cut short is answered once and computed anew the next time."""
    shelf, keys = Shelf(), [b"a"]
    cache, work = Cache([shelf]), Work(keys, keep=False)
    assert [cache.through(keys, work) for _ in range(2)] == [[(b"a!", False)]] * 2
    assert (shelf.values, len(work.calls)) == ({}, 2)


def test_an_error_is_raised_and_leaves_nothing_behind() -> None:
    """After a failed computation the key can be asked for again."""
    cache, keys = Cache([Shelf()]), [b"a"]

    def fail(missing: list[int]) -> list[tuple[bytes, bool]]:
        raise LookupError("model fell over")

    with pytest.raises(LookupError):
        cache.through(keys, fail)
    assert cache.through(keys, Work(keys)) == [(b"a!", False)]


def test_a_wrong_number_of_results_is_an_error() -> None:
    """Answers can never be given to the wrong rows."""
    with pytest.raises(ValueError, match="zip"):
        Cache([]).through([b"a", b"b"], lambda missing: [(b"one", True)])


class Slow:
    """Computes only when let go; `started` says that it is under way."""

    def __init__(self, result: Callable[[], tuple[bytes, bool]]) -> None:
        self.result = result
        self.started, self.go = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self, missing: list[int]) -> list[tuple[bytes, bool]]:
        self.calls += 1
        self.started.set()
        assert self.go.wait(10)
        return [self.result() for _ in missing]


class Asking(threading.Thread):
    """A request in a thread of its own; `outcome` is its answer or its error."""

    def __init__(
        self, cache: Cache, keys: list[bytes], work: Callable[[list[int]], list[tuple[bytes, bool]]], **more: float
    ) -> None:
        super().__init__()
        self.ask = lambda: cache.through(keys, work, **more)
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.ask()
        except (LookupError, KeyboardInterrupt, Cancelled) as error:
            self.outcome = error


def never(missing: list[int]) -> list[tuple[bytes, bool]]:
    raise AssertionError("this must not be computed again")


@pytest.mark.parametrize("tiers", [[], [MemoryTier(10_000)]])
def test_what_eight_ask_for_at_once_is_computed_once(tiers: list[MemoryTier]) -> None:
    """While one computes, the others wait and get the same bytes, with or without a tier to keep them."""
    cache, slow = Cache(tiers), Slow(lambda: (b"answer", True))
    first = Asking(cache, [b"k"], slow)
    assert slow.started.wait(10)
    others = [Asking(cache, [b"k"], never) for _ in range(7)]
    wait_until_waiting(cache, b"k", 7)
    slow.go.set()
    for thread in [first, *others]:
        thread.join(10)
    assert first.outcome == [(b"answer", False)]
    assert [o.outcome for o in others] == [[(b"answer", True)]] * 7
    assert slow.calls == 1


def wait_until_waiting(cache: Cache, key: bytes, count: int) -> None:
    """Block until `count` threads wait for the flight of this key."""
    landed = cache._flights[key].landed
    pause = threading.Event()
    for _ in range(2000):
        if len(landed._cond._waiters) >= count:  # type: ignore[attr-defined]
            return
        pause.wait(0.005)
    raise AssertionError("the other threads did not come to wait")


def test_the_error_of_the_computing_thread_reaches_those_who_wait() -> None:
    """All who asked for it see why there is no answer; the next one may try again."""

    def fail() -> tuple[bytes, bool]:
        raise LookupError("model fell over")

    cache, slow = Cache([]), Slow(fail)
    first = Asking(cache, [b"k"], slow)
    assert slow.started.wait(10)
    others = [Asking(cache, [b"k"], never) for _ in range(3)]
    wait_until_waiting(cache, b"k", 3)
    slow.go.set()
    for thread in [first, *others]:
        thread.join(10)
        assert isinstance(thread.outcome, LookupError)
    assert cache.through([b"k"], Work([b"k"])) == [(b"k!", False)]


def test_who_hangs_up_takes_nobody_along() -> None:
    """When the request that computes is withdrawn, those who waited for it compute for themselves."""

    def withdrawn() -> tuple[bytes, bool]:
        raise Cancelled("Whoever asked has hung up.")

    cache, slow = Cache([]), Slow(withdrawn)
    first = Asking(cache, [b"k"], slow)
    assert slow.started.wait(10)
    other = Asking(cache, [b"k"], lambda missing: [(b"whole", True)])
    wait_until_waiting(cache, b"k", 1)
    slow.go.set()
    first.join(10)
    other.join(10)
    assert isinstance(first.outcome, Cancelled)
    assert other.outcome == [(b"whole", False)]


def test_an_answer_that_may_not_be_kept_is_not_given_to_those_who_wait() -> None:
    """What one request's deadline cut short is no answer for another: that one computes for itself."""
    cache, slow = Cache([Shelf()]), Slow(lambda: (b"cut short", False))
    first = Asking(cache, [b"k"], slow)
    assert slow.started.wait(10)
    other = Asking(cache, [b"k"], lambda missing: [(b"whole", True)])
    wait_until_waiting(cache, b"k", 1)
    slow.go.set()
    first.join(10)
    other.join(10)
    assert (first.outcome, other.outcome) == ([(b"cut short", False)], [(b"whole", False)])


def test_an_interrupted_thread_does_not_interrupt_the_others() -> None:
    """When the computing thread is stopped from outside, whoever waits computes for itself."""

    def stop() -> tuple[bytes, bool]:
        raise KeyboardInterrupt

    cache, slow = Cache([]), Slow(stop)
    first = Asking(cache, [b"k"], slow)
    assert slow.started.wait(10)
    other = Asking(cache, [b"k"], Work([b"k"]))
    wait_until_waiting(cache, b"k", 1)
    slow.go.set()
    first.join(10)
    other.join(10)
    assert isinstance(first.outcome, KeyboardInterrupt)
    assert other.outcome == [(b"k!", False)]


def test_patience_ends_the_waiting() -> None:
    """A request with a deadline does not wait for another's long computation."""
    cache, slow = Cache([]), Slow(lambda: (b"late", True))
    first = Asking(cache, [b"k"], slow)
    assert slow.started.wait(10)
    assert cache.through([b"k"], Work([b"k"]), patience_s=0.0) == [(b"k!", False)]
    slow.go.set()
    first.join(10)
    assert first.outcome == [(b"late", False)]


def test_requests_that_need_each_others_keys_do_not_block_one_another() -> None:
    """Two requests with crossed keys both end: each computes its own before it waits."""
    cache = Cache([MemoryTier(100_000)])
    names = [b"%d" % i for i in range(40)]
    threads = [
        Asking(cache, order, Work(order)) for order in (names, names[::-1], names[20:] + names[:20]) for _ in range(3)
    ]
    for thread in threads:
        thread.join(10)
    assert all(isinstance(t.outcome, list) and {a[:-1] for a, _ in t.outcome} == set(names) for t in threads)
    assert cache._flights == {}


def test_a_key_that_was_known_all_along_is_shared_with_those_who_wait() -> None:
    """A key that turns up in a tier after it was claimed is handed on as well."""
    shelf = Shelf()
    cache = Cache([shelf])
    calls = []
    seen_missing = shelf.get

    def get(keys: Iterable[bytes]) -> dict[bytes, Entry]:
        found = seen_missing(keys)
        calls.append(found)
        if len(calls) == 1:
            shelf.values[b"k"] = b"came late"
        return found

    shelf.get = get  # type: ignore[method-assign]
    assert cache.through([b"k"], never) == [(b"came late", True)]


@given(st.lists(st.lists(st.sampled_from([b"%d" % i for i in range(8)]), max_size=10), max_size=10))
def test_any_sequence_of_requests_is_answered_in_order(requests: list[list[bytes]]) -> None:
    """Every request gets the answers of its own keys; a key is computed once unless it was evicted."""
    cache, computed = Cache([MemoryTier(100_000)]), []
    for keys in requests:
        work = Work(keys)
        assert [a for a, _ in cache.through(keys, work)] == [k + b"!" for k in keys]
        computed += [keys[i] for call in work.calls for i in call]
    assert sorted(computed) == sorted({k for keys in requests for k in keys})


def test_both_tiers_together_survive_a_restart(tmp_path: Path) -> None:
    """After a restart the memory is empty and the disk still answers, with the same bytes."""
    keys = [b"a" * 32, b"b" * 32]
    before = Cache([MemoryTier(10_000), DiskTier(tmp_path / "cache.db", 1_000_000)]).through(keys, Work(keys))
    after = Cache([MemoryTier(10_000), DiskTier(tmp_path / "cache.db", 1_000_000)]).through(keys, never)
    assert after == [(answer, True) for answer, _ in before]


def test_the_null_twin_computes_everything_every_time() -> None:
    """Without a cache every position is computed for everyone."""
    keys = [b"a", b"a"]
    work = Work(keys)
    assert [NoCache().through(keys, work) for _ in range(2)] == [[(b"a!", False)] * 2] * 2
    assert work.calls == [[0, 1], [0, 1]]


def test_what_the_cache_did_is_counted() -> None:
    """Distinct keys of each call as hits or misses, what was computed, and each tier under its name."""
    cache, keys = Cache([MemoryTier(10_000), Shelf()]), [b"a", b"b", b"a"]
    for _ in range(2):
        cache.through(keys, Work(keys))
    told = cache.stats()
    assert told["cache"] == {"hits": 2, "misses": 2, "computed": 2, "expired": 0}
    assert (told["memory"]["hits"], told["shelf"]["bytes"]) == (2, 4)
    plain = NoCache()
    plain.through(keys, Work(keys))
    assert plain.stats() == {"cache": {"hits": 0, "misses": 3, "computed": 3, "expired": 0}}


def test_closing_closes_every_tier() -> None:
    """Each tier is told, so that what waits is written."""
    shelves = [Shelf(), Shelf()]
    cache = Cache(shelves)
    cache.through([b"k"], Work([b"k"]))
    cache.close()
    assert [shelf.values for shelf in shelves] == [{}, {}]


def test_what_is_erased_is_in_no_tier_and_computed_anew(tmp_path: Path) -> None:
    """Other answers stay, and processes that share the stamp hear of it."""
    near, far, other = Shelf(), Shelf(), Stamp(tmp_path / "stamp")
    cache = Cache([near, far], stamp=Stamp(tmp_path / "stamp"))
    cache.through([b"a", b"b"], Work([b"a", b"b"]))
    assert cache.erase([b"a"])
    assert near.values == far.values == {b"b": b"b!"}
    assert other.renewed()
    work = Work([b"a", b"b"])
    assert cache.through([b"a", b"b"], work) == [(b"a!", False), (b"b!", True)]
    assert work.calls == [[0]]


def test_a_tier_that_is_not_sure_is_told(tmp_path: Path) -> None:
    """The other tiers are asked all the same; nothing to erase is no trouble, and tells nobody."""
    near, far, other = Shelf(), Shelf(), Stamp(tmp_path / "stamp")
    near.sure = False
    cache = Cache([near, far], stamp=Stamp(tmp_path / "stamp"))
    cache.through([b"a"], Work([b"a"]))
    assert cache.erase([])
    assert not other.renewed()
    assert not cache.erase([b"a"])
    assert far.values == {}
    assert other.renewed()
    (tmp_path / "file").write_text("no folder")
    assert not Cache([far], stamp=Stamp(tmp_path / "file" / "stamp")).erase([b"a"])
