"""Is the record whole?"""

from __future__ import annotations

import sqlite3

import pytest

from explainer.errors import NotPermitted
from explainer.usecases.ledger import verify_ledger
from tests.house import House


def test_a_whole_chain_verifies_and_that_is_recorded(house: House) -> None:
    """The verdict counts what was there before; the question itself becomes the next entry."""
    assert verify_ledger(house.rooms, house.caller()).entries == 0
    verdict = verify_ledger(house.rooms, house.caller())
    assert (verdict.ok, verdict.entries) == (True, 1)
    assert [e.entry.body for e in house.entries()] == [{"ok": True}, {"ok": True}]


def test_a_changed_entry_is_named(house: House) -> None:
    """Whoever rewrites an entry is found at its number, and the verdict is recorded as bad."""
    for _ in range(3):
        verify_ledger(house.rooms, house.caller())
    house.rooms.ledger.close()
    forged = sqlite3.connect(house.rooms.settings.var / "ledger.db")
    forged.executescript(
        "DROP TRIGGER no_change; UPDATE entries SET written = replace(written, 'answered', 'failed') WHERE number = 2;"
    )
    forged.close()
    again = house.with_rooms(ledger=type(house.rooms.ledger)(house.rooms.settings.var / "ledger.db"))
    verdict = verify_ledger(again.rooms, house.caller())
    assert (verdict.ok, verdict.first_bad) == (False, 2)
    assert again.entries()[-1].entry.body == {"ok": False}


def test_who_may_verify(house: House) -> None:
    """An analyst may not, and that is recorded."""
    with pytest.raises(NotPermitted):
        verify_ledger(house.rooms, house.caller("analyst"))
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]
