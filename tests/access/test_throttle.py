"""Proves that guessing gets slow, and only for whoever guesses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.access.throttle import FREE, LONGEST_S, PLACES, Throttle
from explainer.errors import NotAuthenticated


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def failures_until_wait(throttle: Throttle, name: str, address: str) -> int:
    for count in range(100):
        try:
            throttle.attempt(name, address)
        except NotAuthenticated:
            return count
    return 100


def test_the_first_attempts_are_free_then_one_waits() -> None:
    """Five attempts pass, the sixth is told how long to wait, and passes after that."""
    seconds = Seconds()
    throttle = Throttle(clock=seconds)
    assert failures_until_wait(throttle, "anna", "10.0.0.1") == FREE
    with pytest.raises(NotAuthenticated, match="in 1 s"):
        throttle.attempt("anna", "10.0.0.1")
    seconds.now += 1.0
    throttle.attempt("anna", "10.0.0.1")


def test_others_are_not_locked_out() -> None:
    """The same name from elsewhere and other names from here are not slowed down."""
    throttle = Throttle(clock=Seconds())
    failures_until_wait(throttle, "anna", "10.0.0.1")
    throttle.attempt("anna", "10.0.0.2")
    throttle.attempt("bert", "10.0.0.1")


def test_success_clears_the_count() -> None:
    """After a right password the free attempts are back."""
    throttle = Throttle(clock=Seconds())
    for _ in range(FREE - 1):
        throttle.attempt("anna", "a")
    throttle.succeeded("anna", "a")
    assert failures_until_wait(throttle, "anna", "a") == FREE


def test_old_failures_are_forgotten() -> None:
    """A quarter of an hour without an attempt starts the count anew."""
    seconds = Seconds()
    throttle = Throttle(clock=seconds)
    failures_until_wait(throttle, "anna", "a")
    seconds.now += 901
    assert failures_until_wait(throttle, "anna", "a") == FREE


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_no_rhythm_of_guessing_beats_the_longest_wait(pauses: list[float]) -> None:
    """Whatever the pauses, attempts let through stay below what the doubling waits allow, and no wait exceeds 60 s."""
    seconds = Seconds()
    throttle = Throttle(clock=seconds)
    passed = 0
    for pause in pauses:
        seconds.now += pause
        try:
            throttle.attempt("anna", "a")
            passed += 1
        except NotAuthenticated:
            pass
    needed, delay = 0.0, 1.0
    for _ in range(passed - FREE):
        needed, delay = needed + delay, min(LONGEST_S, delay * 2)
    assert seconds.now >= needed - 1e-6
    seconds.now += LONGEST_S
    throttle.attempt("anna", "a")


def test_memory_is_bounded() -> None:
    """A flood of names does not grow the table beyond its places."""
    throttle = Throttle(clock=Seconds())
    for i in range(PLACES + 500):
        throttle.attempt(f"name {i}", "a")
    assert len(throttle._pairs) == PLACES
