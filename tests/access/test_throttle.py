"""Proves that guessing gets slow, in all processes, and only for whoever guesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explainer.access import throttle as module
from explainer.access.admit import Access
from explainer.access.throttle import ANYWHERE, FREE, LONGEST_S, Throttle
from explainer.errors import NotAuthenticated


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def throttle(access: Access, seconds: Seconds) -> Throttle:
    return Throttle(access._file, clock=seconds)


def failures_until_wait(throttle: Throttle, name: str, address: str, **more: int) -> int:
    for count in range(100):
        try:
            throttle.attempt("password", name, address, **more)
        except NotAuthenticated:
            return count
    return 100


def test_the_first_attempts_are_free_then_one_waits(throttle: Throttle, seconds: Seconds) -> None:
    """Five attempts pass, the sixth is told how long to wait, and passes after that."""
    assert failures_until_wait(throttle, "anna", "10.0.0.1") == FREE
    with pytest.raises(NotAuthenticated, match="in 1 s"):
        throttle.attempt("password", "anna", "10.0.0.1")
    seconds.now += 1.0
    throttle.attempt("password", "anna", "10.0.0.1")


def test_others_are_not_locked_out(throttle: Throttle) -> None:
    """The same name from elsewhere, other names from here and other steps are not slowed down."""
    failures_until_wait(throttle, "anna", "10.0.0.1")
    throttle.attempt("password", "anna", "10.0.0.2")
    throttle.attempt("password", "bert", "10.0.0.1")
    throttle.attempt("second factor", "anna", "10.0.0.1")


def test_all_processes_share_the_count(throttle: Throttle, tmp_path: Path, seconds: Seconds) -> None:
    """Whichever process answers, and after a restart too, the sixth guess waits."""
    others = [Throttle(Access(tmp_path / "access.db")._file, clock=seconds) for _ in range(3)]
    for i in range(FREE):
        others[i % 3].attempt("password", "anna", "a")
    for other in (*others, throttle):
        with pytest.raises(NotAuthenticated):
            other.attempt("password", "anna", "a")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("unix", "unix", True),
    ],
)
def test_an_address_is_what_one_subscriber_has(throttle: Throttle, one: str, other: str, same: bool) -> None:
    """Of IPv6 the /64 counts, which one subscriber can fill alone; IPv4 counts however it is written."""
    failures_until_wait(throttle, "anna", one)
    assert (failures_until_wait(throttle, "anna", other) == 0) is same


def test_success_clears_the_count(throttle: Throttle) -> None:
    """After a right password the free attempts are back."""
    for _ in range(FREE - 1):
        throttle.attempt("password", "anna", "a")
    throttle.succeeded("password", "anna", "a")
    assert failures_until_wait(throttle, "anna", "a") == FREE


def test_old_failures_are_forgotten(throttle: Throttle, seconds: Seconds) -> None:
    """A quarter of an hour without an attempt starts the count anew."""
    failures_until_wait(throttle, "anna", "a")
    seconds.now += 901
    assert failures_until_wait(throttle, "anna", "a") == FREE


def test_a_clock_that_is_set_back_keeps_nobody_out(throttle: Throttle, seconds: Seconds) -> None:
    """However far the clock was ahead, nobody waits longer than a minute."""
    failures_until_wait(throttle, "anna", "a")
    seconds.now -= 1_000_000
    seconds.now += LONGEST_S
    with pytest.raises(NotAuthenticated, match=r"in 60 s"):
        throttle.attempt("password", "anna", "a")


def test_more_attempts_can_be_free(throttle: Throttle) -> None:
    """Counted over all addresses together the free attempts are more."""
    assert failures_until_wait(throttle, "anna", ANYWHERE, free=20) == 20


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_rhythm_of_guessing_beats_the_longest_wait(throttle: Throttle, pauses: list[float]) -> None:
    """Whatever the pauses, attempts let through stay below what the doubling waits allow, and no wait exceeds 60 s."""
    seconds = throttle._clock
    assert isinstance(seconds, Seconds)
    throttle.succeeded("password", "anna", "a")
    begun, passed = seconds.now, 0
    for pause in pauses:
        seconds.now += pause
        try:
            throttle.attempt("password", "anna", "a")
            passed += 1
        except NotAuthenticated:
            pass
    needed, delay = 0.0, 1.0
    for _ in range(passed - FREE):
        needed, delay = needed + delay, min(LONGEST_S, delay * 2)
    assert seconds.now - begun >= needed - 1e-6
    seconds.now += LONGEST_S
    throttle.attempt("password", "anna", "a")


def test_the_table_is_bounded(throttle: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of names does not grow the table beyond its places, and old pairs leave it."""
    monkeypatch.setattr(module, "PLACES", 50)
    for i in range(80):
        throttle.attempt("password", f"name {i}", "a")
    with throttle._file.reading() as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone()[0] == 50


def test_no_name_is_on_the_disk(throttle: Throttle, tmp_path: Path) -> None:
    """People type passwords into the field of the name: what was typed is not kept."""
    throttle.attempt("password", "my-secret-password", "a")
    assert b"my-secret-password" not in b"".join(part.read_bytes() for part in tmp_path.iterdir())
