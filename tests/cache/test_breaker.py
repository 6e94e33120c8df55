"""Proves that a lost server is left alone, and taken up again by itself."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest

from explainer.cache.breaker import Breaker


class Line:
    """A server that answers when it is told to."""

    def __init__(self) -> None:
        self.answers, self.asked = False, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.answers


def wait_for(condition: object) -> bool:
    for _ in range(500):
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def test_it_opens_at_a_failure_and_closes_when_the_server_answers(caplog: pytest.LogCaptureFixture) -> None:
    """However many requests fail at once there is one line each way and one thread that tries."""
    line = Line()
    breaker = Breaker("Redis at nowhere", line, 0.01)
    with caplog.at_level(logging.WARNING):
        assert breaker.allows()
        for _ in range(10):
            breaker.trip(OSError("gone"))
        assert wait_for(lambda: line.asked > 3)
        assert not breaker.allows()
        assert sum(thread.name == "trying Redis at nowhere" for thread in threading.enumerate()) == 1
        line.answers = True
        assert wait_for(breaker.allows)
    assert [record.getMessage() for record in caplog.records] == [
        "Redis at nowhere is not used until it answers again: gone",
        "Redis at nowhere answers again",
    ]
    assert wait_for(lambda: all(thread.name != "trying Redis at nowhere" for thread in threading.enumerate()))


def test_a_server_that_answers_probes_only_is_not_asked_all_the_time() -> None:
    """Tripped again right after it was closed, it stays open for the whole pause."""
    line = Line()
    line.answers = True
    breaker = Breaker("Redis at nowhere", line, 60.0)
    breaker.trip(OSError("slow"))
    assert wait_for(breaker.allows)
    breaker.trip(OSError("slow"))
    time.sleep(0.2)
    assert (breaker.allows(), line.asked) == (False, 1)
    breaker.close()


def test_a_forked_process_tries_for_itself() -> None:
    """The thread that tries stays in the parent; the child begins its own with the first question."""
    line = Line()
    breaker = Breaker("Redis at nowhere", line, 0.01)
    breaker.trip(OSError("gone"))
    assert wait_for(lambda: line.asked > 1)
    child = os.fork()
    if child == 0:
        line.answers = True
        os._exit(0 if wait_for(breaker.allows) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not breaker.allows()
    breaker.close()


def test_closing_ends_the_trying() -> None:
    """No thread is left behind."""
    line = Line()
    breaker = Breaker("Redis at the end", line, 60.0)
    breaker.trip(OSError("gone"))
    breaker.close()
    assert wait_for(lambda: all(thread.name != "trying Redis at the end" for thread in threading.enumerate()))
    assert not breaker.allows()
