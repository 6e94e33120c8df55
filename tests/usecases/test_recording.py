"""One entry for each thing that was asked, whatever came of it."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from explainer.errors import NotFound, StorageFailed
from explainer.records import LedgerEntry
from explainer.usecases.recording import record_refusal, recorded
from explainer.usecases.rooms import Caller
from tests.house import House


def do(ledger: Any, caller: Caller, error: BaseException | None) -> None:
    with recorded(ledger, caller, "thing:read") as note:
        note["rows"] = 3
        if error is not None:
            raise error


def test_an_answer_is_recorded_before_it_leaves(house: House) -> None:
    """The entry carries what was noted, the outcome and who asked; its number is known to the caller."""
    caller = house.caller()
    with recorded(house.rooms.ledger, caller, "thing:read", model="credit") as note:
        note["rows"] = 3
    (entry,) = house.entries()
    assert entry.entry == LedgerEntry(
        "api:thing:read", "key_demo", "answered", "request-1", {"model": "credit", "rows": 3}
    )
    assert caller.entries == [entry.number]


@pytest.mark.parametrize(
    ("error", "outcome"), [(NotFound("x"), "not-found"), (ValueError("x"), "failed"), (KeyboardInterrupt(), "failed")]
)
def test_an_error_is_recorded_and_passed_on(house: House, error: BaseException, outcome: str) -> None:
    """An error of ours under its code, anything else as failed, with what was noted before it."""
    with pytest.raises(type(error)):
        do(house.rooms.ledger, house.caller(), error)
    (entry,) = house.entries()
    assert (entry.entry.outcome, entry.entry.body) == (outcome, {"rows": 3})


def test_what_belongs_to_an_answer_is_written_with_its_entry(house: House) -> None:
    """Jobs beside the entry run in its transaction; of what was refused nothing is written."""
    written: list[int] = []
    with recorded(house.rooms.ledger, house.caller(), "thing:read") as note:
        note.beside.append(lambda connection: written.append(connection.total_changes))
    assert len(written) == 1
    with pytest.raises(NotFound):
        refused_beside(house, lambda connection: written.append(connection.total_changes))
    assert len(written) == 1


def refused_beside(house: House, job: Any) -> None:
    with recorded(house.rooms.ledger, house.caller(), "thing:read") as note:
        note.beside.append(job)
        raise NotFound("x")


def test_what_could_not_be_kept_with_its_entry_is_no_answer(house: House) -> None:
    """StorageFailed comes out, and the one entry says that it failed."""
    caller = house.caller()

    def refuse(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("full")

    with pytest.raises(StorageFailed, match="full"), recorded(house.rooms.ledger, caller, "thing:read") as note:
        note.beside.append(refuse)
    (entry,) = house.entries()
    assert (entry.entry.outcome, caller.entries) == ("storage-failed", [entry.number])


class Broken:
    def append(self, entry: LedgerEntry) -> int:
        raise StorageFailed(f"{entry.event} was not kept")


@pytest.mark.parametrize("error", [None, NotFound("x"), ValueError("x")])
def test_what_cannot_be_recorded_is_a_failed_storage(house: House, error: Exception | None) -> None:
    """Whatever happened inside, StorageFailed comes out: neither answer nor reason leaves unrecorded."""
    caller = house.caller()
    with pytest.raises(StorageFailed):
        do(Broken(), caller, error)
    assert caller.entries == []


def test_a_refusal_is_written_once(house: House) -> None:
    """Where an entry was written for the request already, the door adds none."""
    caller = house.caller()
    record_refusal(house.rooms.ledger, caller, "request:refuse", "malformed")
    record_refusal(house.rooms.ledger, caller, "request:refuse", "malformed")
    (entry,) = house.entries()
    assert (entry.entry.event, entry.entry.outcome) == ("api:request:refuse", "malformed")
