"""How long receipts are kept: what is due goes with its entry, what is held stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from explainer.access.roles import grantable_roles
from explainer.errors import Conflict, InvalidOption, NotFound, NotPermitted
from explainer.receipts.retention import AT_ONCE, Retention
from explainer.receipts.store import new_id
from explainer.usecases.retention import begin_hold, end_hold, set_period, show_retention, sweep, what_is_due
from explainer.usecases.subjects import erase_again, erase_subject, list_erased
from tests.house import House
from tests.receipts.test_store import receipt

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def keep(house: House, days: float, model: str = "credit", subject: str | None = None, count: int = 1) -> list[str]:
    """Receipts that were written so many days ago."""
    at = (NOW - timedelta(days=days)).timestamp()
    made = [receipt(id=new_id(at), model=model, row=(days, float(i))) for i in range(count)]
    ids, job = house.rooms.receipts.settle(made, subject)
    house.rooms.receipts.file.write(job)
    return ids


def there(house: House, ids: list[str]) -> list[bool]:
    def known(receipt_id: str) -> bool:
        try:
            return house.rooms.receipts.get(receipt_id).id == receipt_id
        except NotFound:
            return False

    return [known(receipt_id) for receipt_id in ids]


def test_what_is_due_goes_and_is_on_record(house: House) -> None:
    """Each model by its own period, every other by the common one; a dry run says it before and removes nothing."""
    local = house.caller("local")
    old, young = keep(house, 31, count=AT_ONCE + 3), keep(house, 29)
    other_old, other_young = keep(house, 91, "other"), keep(house, 31, "other")
    set_period(house.rooms, local, "credit", 30)
    set_period(house.rooms, local, "*", 90)
    due = what_is_due(house.rooms, local, NOW)
    assert {d.model: d.receipts for d in due} == {"credit": AT_ONCE + 3, "*": 1}
    assert all(there(house, [*old, *young]))
    assert sweep(house.rooms, local, NOW) == due
    assert not any(there(house, old + other_old))
    assert all(there(house, young + other_young))
    swept = [e.entry.body["receipts"] for e in house.entries() if e.entry.event == "api:retention:sweep"]
    assert sorted(swept) == [1, 3, AT_ONCE]
    assert house.rooms.ledger.verify().ok


def test_without_a_period_receipts_stay(house: House) -> None:
    """Nothing is removed that nobody has asked for; a period can be taken back."""
    local, old = house.caller("local"), keep(house, 10_000)
    assert sweep(house.rooms, local, NOW) == []
    set_period(house.rooms, local, "credit", 1)
    set_period(house.rooms, local, "credit", None)
    assert sweep(house.rooms, local, NOW) == []
    assert there(house, old) == [True]


def test_what_is_held_stays(house: House) -> None:
    """A hold on a model or a person keeps receipts from the sweep and from an erasure, until it is released."""
    local = house.caller("local")
    anna, bert, other = keep(house, 50, subject="anna"), keep(house, 51, subject="bert"), keep(house, 52, "other")
    set_period(house.rooms, local, "*", 30)
    begin_hold(house.rooms, local, "subject", "anna", "case 12/2026")
    begin_hold(house.rooms, local, "model", "other", "audit")
    sweep(house.rooms, local, NOW)
    assert there(house, anna + bert + other) == [True, False, True]
    with pytest.raises(Conflict, match="under a hold"):
        erase_subject(house.rooms, local, "anna")
    assert house.entries()[-1].entry.outcome == "conflict"
    assert there(house, anna) == [True]
    assert list_erased(house.rooms, local) == ""
    kept = show_retention(house.rooms, local)
    assert {(h.kind, h.reason) for h in kept.holds} == {("subject", "case 12/2026"), ("model", "audit")}
    assert "anna" not in str(kept)
    end_hold(house.rooms, local, "subject", "anna")
    sweep(house.rooms, local, NOW)
    assert there(house, anna + other) == [False, True]
    with pytest.raises(NotFound):
        end_hold(house.rooms, local, "subject", "anna")


def test_who_was_erased_is_erased_again_held_or_not(house: House) -> None:
    """A hold in a restored copy is older than the erasure."""
    local, ids = house.caller("local"), keep(house, 1, subject="anna")
    begin_hold(house.rooms, local, "subject", "anna", "case")
    mark = house.rooms.receipts.seals.mark("anna").hex()
    assert erase_again(house.rooms, local, [f"{mark} 2026"])[0].receipts == 1
    assert there(house, ids) == [False]


@pytest.mark.parametrize(
    ("kind", "name", "reason"), [("model", "Not a name", "x"), ("model", "*", "x"), ("model", "credit", "  ")]
)
def test_holds_that_are_none(house: House, kind: str, name: str, reason: str) -> None:
    """Every hold names one thing and says why."""
    with pytest.raises(InvalidOption):
        begin_hold(house.rooms, house.caller("local"), kind, name, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(("model", "days"), [("Not a name", 5), ("credit", 0), ("credit", 10**6)])
def test_periods_that_are_none(house: House, model: str, days: int) -> None:
    """A model's name and some days."""
    with pytest.raises(InvalidOption):
        set_period(house.rooms, house.caller("local"), model, days)


@pytest.mark.parametrize("role", grantable_roles())
def test_only_at_the_machine(house: House, role: str) -> None:
    """No role that can be granted changes how long anything is kept."""
    caller = house.caller(role)
    for attempt in (
        lambda: set_period(house.rooms, caller, "*", 1),
        lambda: begin_hold(house.rooms, caller, "model", "credit", "x"),
        lambda: end_hold(house.rooms, caller, "model", "credit"),
        lambda: show_retention(house.rooms, caller),
        lambda: what_is_due(house.rooms, caller, NOW),
        lambda: sweep(house.rooms, caller, NOW),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert Retention(house.rooms.receipts).periods() == {}
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"] * 6
