"""Callers without a name cannot fill the ledger, and none of their refusals is left out."""

from __future__ import annotations

import threading
import time

import pytest

from explainer.errors import StorageFailed
from explainer.ledger.strangers import COUNTED, Strangers
from explainer.records import LedgerEntry


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Book:
    """What was appended; `full` refuses."""

    def __init__(self) -> None:
        self.entries: list[LedgerEntry] = []
        self.full = False

    def append(self, entry: LedgerEntry) -> int:
        if self.full:
            raise StorageFailed("The disk is full.")
        self.entries.append(entry)
        return len(self.entries)


def refusal(outcome: str = "not-authenticated", door: str = "api") -> LedgerEntry:
    return LedgerEntry(f"{door}:card:read", "anonymous", outcome, "r", {})


def test_the_first_are_written_and_the_rest_counted() -> None:
    """So many entries a minute stand by themselves; the next minute begins anew."""
    book, clock = Book(), Clock()
    strangers = Strangers(book.append, one_by_one=3, clock=clock)
    assert [strangers.append(refusal()) for _ in range(5)] == [1, 2, 3, COUNTED, COUNTED]
    clock.now += 60
    assert strangers.append(refusal()) == 4
    strangers.flush()
    assert [e.outcome for e in book.entries] == ["not-authenticated"] * 4 + ["counted"]
    assert book.entries[-1].body == {"not-authenticated": 2}


def test_one_entry_for_each_door_counts_by_outcome() -> None:
    """What was counted says how many of what, at which door; and is written once."""
    book = Book()
    strangers = Strangers(book.append, one_by_one=0, clock=Clock())
    for outcome, door in [("not-found", "api"), ("not-found", "api"), ("not-authenticated", "api"), ("x", "page")]:
        strangers.append(refusal(outcome, door))
    strangers.flush()
    strangers.flush()
    found = {e.event: e.body for e in book.entries}
    assert found == {"api:stranger:refuse": {"not-found": 2, "not-authenticated": 1}, "page:stranger:refuse": {"x": 1}}
    assert len(book.entries) == 2


def test_they_are_written_without_anybody_asking() -> None:
    """A minute (here less) after the first was counted the entry is there."""
    book = Book()
    strangers = Strangers(book.append, one_by_one=0, every_s=0.05)
    strangers.append(refusal())
    until = time.monotonic() + 10
    while not book.entries and time.monotonic() < until:
        time.sleep(0.01)
    assert book.entries[0].body == {"not-authenticated": 1}


def test_what_cannot_be_written_stays_counted() -> None:
    """A full disk refuses those that stand by themselves, and loses none of the others."""
    book = Book()
    strangers = Strangers(book.append, one_by_one=1, clock=Clock())
    book.full = True
    with pytest.raises(StorageFailed):
        strangers.append(refusal())
    strangers.append(refusal())
    strangers.flush()
    strangers.append(refusal())
    book.full = False
    strangers.flush()
    assert [e.body for e in book.entries] == [{"not-authenticated": 2}]


def test_threads_lose_no_count() -> None:
    """Eight threads, one of them writing all the while: the numbers add up."""
    book = Book()
    strangers = Strangers(book.append, one_by_one=10, clock=Clock())

    def work() -> None:
        for _ in range(200):
            strangers.append(refusal())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        strangers.flush()
    strangers.flush()
    counted = sum(int(e.body["not-authenticated"] or 0) for e in book.entries if e.outcome == "counted")
    assert counted + sum(e.outcome != "counted" for e in book.entries) == 1600
