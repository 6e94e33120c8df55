"""Who waits for whom when several threads write at once."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

import pytest

from explainer.durable.line import Line, Ticket
from explainer.errors import Conflict, StorageFailed

NOWHERE: Any = None


def ticket(value: object = None) -> Ticket:
    return Ticket(lambda _: value)


def served(batch: list[Ticket]) -> None:
    for one in batch:
        one.run(NOWHERE)
        one.finish()


def in_threads(count: int, line: Line, done: list[object]) -> list[threading.Thread]:
    """So many threads that join the line and, when one of them leads, serve everybody."""

    def work(name: int) -> None:
        mine = ticket(name)
        if line.join(mine):
            served(line.take())
            line.leave()
        done.append(mine.outcome())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    return threads


def waiting(line: Line, count: int) -> None:
    until = time.monotonic() + 10
    while len(line._waiting) < count:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_the_first_leads_and_the_rest_follow() -> None:
    """Whoever comes to an empty line leads at once; the others are done by the one who leads next, together."""
    line, first, done = Line(10), ticket("first"), list[object]()
    assert line.join(first)
    threads = in_threads(7, line, done)
    waiting(line, 8)
    assert line._waiting[0] is first
    served(line.take())
    line.leave()
    for thread in threads:
        thread.join(10)
    assert sorted(done) == list(range(7))  # type: ignore[type-var]
    assert first.outcome() == "first"


def test_the_lead_goes_to_who_waits_longest() -> None:
    """When a leader leaves, the next one serves what came meanwhile; then the line is free."""
    line, first, done = Line(10), ticket(), list[object]()
    assert line.join(first)
    served(line.take())
    threads = in_threads(5, line, done)
    waiting(line, 5)
    line.leave()
    for thread in threads:
        thread.join(10)
    assert sorted(done) == list(range(5))  # type: ignore[type-var]
    assert line.join(ticket())


def test_a_ticket_that_nobody_takes_is_withdrawn() -> None:
    """Behind a leader who is stuck a caller waits as long as the patience, and its write never happens."""
    line, stuck, late = Line(0.05), ticket(), ticket()
    assert line.join(stuck)
    assert not line.join(late)
    with pytest.raises(StorageFailed, match=r"0\.05 s"):
        late.outcome()
    assert line.take() == [stuck]


def test_a_ticket_that_was_taken_is_waited_for() -> None:
    """Once a leader has it, the outcome is what the leader says, however long that takes."""
    line, first = Line(0.05), ticket()
    assert line.join(first)
    done: list[object] = []
    (thread,) = in_threads(1, line, done)
    waiting(line, 2)
    batch = line.take()
    time.sleep(0.15)
    served(batch)
    line.leave()
    thread.join(10)
    assert done == [0]


def test_an_interrupted_caller_leaves_no_gap() -> None:
    """A caller who is interrupted while it waits is not made to lead; the one behind it is."""
    line, first, last = Line(10), ticket(), ticket("last")

    class Interrupted(Ticket):
        def wait(self, patience_s: float = -1) -> bool:
            raise KeyboardInterrupt

    assert line.join(first)
    with pytest.raises(KeyboardInterrupt):
        line.join(Interrupted(lambda _: None))
    served(line.take())
    led: list[bool] = []
    thread = threading.Thread(target=lambda: led.append(line.join(last)))
    thread.start()
    waiting(line, 1)
    line.leave()
    thread.join(10)
    assert led == [True]


def test_what_comes_of_a_ticket() -> None:
    """A result, an error of ours as it is, an error of SQLite as StorageFailed; and only the first word counts."""

    def refuse(_: object) -> None:
        raise Conflict("twice")

    def fail(_: object) -> None:
        raise sqlite3.IntegrityError("UNIQUE")

    for job, error in ((refuse, Conflict), (fail, StorageFailed)):
        one = Ticket(job)
        assert not one.run(NOWHERE)
        one.finish()
        with pytest.raises(error):
            one.outcome()
    one = ticket(5)
    assert one.run(NOWHERE)
    one.finish()
    one.finish(StorageFailed("too late"))
    assert one.outcome() == 5
