"""Proves that answers end in time, and that a clock that jumps neither keeps nor loses them wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.cache.lifetime import Lifetime, now_ms
from explainer.cache.memory import MemoryTier
from explainer.cache.sqlite import DiskTier
from explainer.cache.tiers import Cache

DAY = 86_400_000


class Clock:
    """A clock that is set by hand, in milliseconds."""

    def __init__(self) -> None:
        self.now = 1_760_000_000_000

    def __call__(self) -> int:
        return self.now


class House:
    """A memory and a disk tier with answers that are good for 30 days."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.lifetime = Lifetime(30 * 86_400, self.clock)
        self.folder = folder
        self.restart()

    def restart(self) -> None:
        self.memory = MemoryTier(100_000)
        self.disk = DiskTier(self.folder / "cache.db", 1_000_000, lifetime=self.lifetime)
        self.cache = Cache([self.memory, self.disk], lifetime=self.lifetime)

    def ask(self, key: bytes = b"k") -> bool:
        """Return whether it was a hit."""
        return self.cache.through([key], lambda missing: [(b"answer", True)])[0][1]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.parametrize("restarted", [False, True])
def test_an_answer_ends_when_its_time_is_over(house: House, restarted: bool) -> None:
    """To the millisecond, in memory and on disk; then it is removed, computed anew and good for as long again."""
    assert [house.ask(), house.ask()] == [False, True]
    for _ in range(2):
        house.clock.now += 30 * DAY
        if restarted:
            house.restart()
        assert house.ask()
        house.clock.now += 1
        if restarted:
            house.restart()
        assert [house.ask(), house.ask()] == [False, True]


def test_moving_to_a_quicker_tier_does_not_make_an_answer_younger(house: House) -> None:
    """What was found on disk ends in memory when it would have ended on disk."""
    house.ask()
    house.clock.now += 29 * DAY
    house.restart()
    assert house.ask()
    assert house.memory.get([b"k"])
    house.clock.now += 2 * DAY
    assert not house.ask()


def test_what_nobody_asks_for_is_removed_as_well(house: House) -> None:
    """The next put, an empty one too, clears the disk of what is too old."""
    for i in range(10):
        house.ask(b"old%d" % i)
    house.clock.now += 31 * DAY
    house.disk.put({})
    assert house.disk.stats()["expired"] == 10
    assert house.disk.get([b"old%d" % i for i in range(10)]) == {}


def test_a_clock_that_is_set_back_loses_nothing(house: House) -> None:
    """After a correction by an hour, or ten days, the entries are there; they end 30 days after they were computed."""
    house.ask()
    for back in (3_600_000, 10 * DAY):
        house.clock.now -= back
        house.restart()
        house.disk.put({})
        assert house.ask()
    house.clock.now += 10 * DAY + 3_600_000 + 30 * DAY
    assert house.ask()
    house.clock.now += 1
    assert not house.ask()


def test_an_answer_of_a_clock_that_was_far_ahead_does_not_live_for_ever(house: House) -> None:
    """What was computed 'in 70 years' is a miss once the clock is right, and is removed."""
    right = house.clock.now
    house.clock.now += 70 * 365 * DAY
    house.ask()
    house.clock.now = right
    assert not house.ask()
    assert house.ask()
    house.ask(b"other")
    house.clock.now += 70 * 365 * DAY
    house.ask(b"ahead")
    house.clock.now = right
    house.disk.put({})
    assert house.disk.get([b"ahead"]) == {}


@given(st.lists(st.integers(-40 * DAY, 40 * DAY), max_size=30))
def test_whatever_the_clock_does_an_answer_is_within_its_time(jumps: list[int]) -> None:
    """A hit was computed within 30 days of what the clock shows, before or after, whichever way it was set."""
    clock = Clock()
    cache = Cache([MemoryTier(100_000)], lifetime=Lifetime(30 * 86_400, clock))
    computed: int | None = None
    for jump in [0, *jumps]:
        clock.now += jump
        hit = cache.through([b"k"], lambda missing: [(b"answer", True)])[0][1]
        assert hit is (computed is not None and abs(clock.now - computed) <= 30 * DAY)
        if not hit:
            computed = clock.now


def test_without_a_bound_nothing_ends(tmp_path: Path) -> None:
    """EXPLAINER_CACHE_TTL_S=0: an answer of any age, from any clock, is good."""
    clock = Clock()
    lifetime = Lifetime(0, clock)
    cache = Cache([DiskTier(tmp_path / "c.db", 1_000_000, lifetime=lifetime)], lifetime=lifetime)
    cache.through([b"k"], lambda missing: [(b"answer", True)])
    for jump in (100_000 * DAY, -200_000 * DAY):
        clock.now += jump
        assert cache.through([b"k"], lambda missing: []) == [(b"answer", True)]


def test_the_clock_is_that_of_the_host() -> None:
    """Milliseconds since 1970."""
    assert 1_700_000_000_000 < now_ms() < 10_000_000_000_000
