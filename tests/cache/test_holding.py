"""Proves that leases are renewed while they are held, for a bounded time, and by their own process only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping

import pytest

from explainer.cache import holding
from explainer.cache.holding import Holding


class Renewals:
    """Notes what was renewed."""

    def __init__(self) -> None:
        self.calls: list[dict[bytes, bytes]] = []

    def __call__(self, tokens: Mapping[bytes, bytes]) -> None:
        self.calls.append(dict(tokens))


def wait_for(condition: object) -> bool:
    for _ in range(500):
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def test_what_is_held_is_renewed_until_it_is_let_go() -> None:
    """With its own token; afterwards the thread ends, and the next lease begins another."""
    renewals = Renewals()
    held = Holding(renewals, 0.02)
    for round_ in range(2):
        renewals.calls.clear()
        held.hold({b"a": b"1", b"b": b"2"})
        assert wait_for(lambda: {b"a": b"1", b"b": b"2"} in renewals.calls), round_
        assert held.let_go([b"b", b"unknown"]) == {b"b": b"2"}
        assert wait_for(lambda: {b"a": b"1"} in renewals.calls)
        assert held.let_go([b"a", b"b"]) == {b"a": b"1"}
        assert wait_for(lambda: all(thread.name != "cache leases" for thread in threading.enumerate()))
    assert held.let_go([b"a"]) == {}


def test_a_lease_that_was_forgotten_is_not_renewed_for_ever() -> None:
    """After two minutes it is left to lapse."""
    held = Holding(lambda tokens: None, 60.0)
    held.hold({b"old": b"1", b"new": b"2"})
    held._held[b"old"] = (b"1", time.monotonic() - holding.RENEWED_FOR_S - 1)
    renewals = Renewals()
    other = Holding(renewals, 0.02)
    other.hold({b"x": b"3"})
    other._held |= held._held
    assert wait_for(lambda: {b"x": b"3", b"new": b"2"} in renewals.calls)
    assert all(b"old" not in call for call in renewals.calls)
    other.let_go([b"x", b"new"])


def test_nothing_held_needs_no_thread() -> None:
    """Claims that all went to others start nothing."""
    held = Holding(lambda tokens: pytest.fail("nothing to renew"), 0.01)
    held.hold({})
    assert held._thread is None


def test_a_forked_process_holds_only_its_own() -> None:
    """What the parent holds is neither renewed nor let go by the child once that claims something itself."""
    renewals = Renewals()
    held = Holding(renewals, 0.05)
    held.hold({b"parent": b"1"})
    child = os.fork()
    if child == 0:
        renewals.calls.clear()
        held.hold({b"child": b"2"})
        seen = wait_for(lambda: renewals.calls)
        os._exit(0 if seen and all(call == {b"child": b"2"} for call in renewals.calls) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert held.let_go([b"parent"]) == {b"parent": b"1"}
