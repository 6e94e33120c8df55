"""What was answered, and the same answer again."""

from __future__ import annotations

import math
from typing import Any

import pytest

from explainer.errors import ModelFailed, NotFound, NotPermitted
from explainer.records import ExplainOptions
from explainer.usecases.explain import ExplainAsk, explain
from explainer.usecases.receipts import replay_receipt, show_receipt
from tests.house import House
from tests.registry.folders import ROW


def answered(house: House, role: str = "demo", **settings: Any) -> dict[str, Any]:
    ask = ExplainAsk("credit", [{**ROW, "months": None}], ExplainOptions(**settings))
    return explain(house.rooms, house.serving, house.caller(role), ask).items[0]


@pytest.mark.parametrize("settings", [{}, {"method": "lime"}, {"class_name": "all"}, {"top": 1}, {"seed": 5}])
def test_a_receipt_shows_what_was_answered(house: House, settings: dict[str, Any]) -> None:
    """The same numbers, the same cut, the same words as the answer had."""
    house.register()
    item = answered(house, **settings)
    shown = show_receipt(house.rooms, house.caller(), item["receipt"])
    again = {**shown.items[0], "row": 0, "cache": item["cache"], "receipt": item["receipt"]}
    assert again == item


@pytest.mark.parametrize("settings", [{}, {"method": "lime"}, {"class_name": "all"}, {"deadline_ms": 5000}])
def test_a_replay_computes_and_is_identical(house: House, settings: dict[str, Any]) -> None:
    """The workers are asked again, past the cache; every number is the same and the ledger says so."""
    house.register()
    receipt = answered(house, **settings)["receipt"]
    house.workers.asked.clear()
    done = replay_receipt(house.rooms, house.serving, house.caller(), receipt)
    assert (done.identical, done.largest_difference) == (True, 0.0)
    assert house.workers.asked == [f"explain {settings.get('method', 'auto')} 1"]
    assert house.entries()[-1].entry.body["identical"] is True


@pytest.mark.parametrize("shift", [0.5, 1e-15, -3.0])
def test_a_replay_that_differs_says_how_far(house: House, shift: float) -> None:
    """The smallest change of a number is seen and measured."""
    house.register()
    receipt = answered(house)["receipt"]
    house.workers.shift = shift
    done = replay_receipt(house.rooms, house.serving, house.caller(), receipt)
    assert not done.identical
    assert done.largest_difference == pytest.approx(abs(shift), rel=0.2)
    assert house.entries()[-1].entry.body["identical"] is False


def test_a_replay_opens_the_version_that_answered(house: House) -> None:
    """A newer version changes nothing; a retired one is opened again to replay its own receipts."""
    house.register()
    receipt = answered(house)["receipt"]
    house.register(version="2.0")
    house.rooms.registry.retire("credit", "1.0")
    house.workers.orders.clear()
    done = replay_receipt(house.rooms, house.serving, house.caller(), receipt)
    assert done.identical
    assert done.receipt.version == "1.0"


def test_a_receipt_of_a_changed_version_is_refused(house: House) -> None:
    """Another model under the same name and version is not the one that answered: its digest differs."""
    house.register()
    receipt = house.rooms.receipts.get(answered(house)["receipt"])
    assert math.isnan(receipt.row[1])
    other = House(house.rooms, house.serving, house.workers, house.folder / "other")
    registry = type(house.rooms.registry)
    settings = house.rooms.settings
    elsewhere = registry(type(settings)(registry=house.folder / "elsewhere"))
    moved = other.with_rooms(registry=elsewhere)
    moved.register(positive_class="good")
    for use in (show_receipt, lambda r, c, i: replay_receipt(r, moved.serving, c, i)):
        with pytest.raises(NotFound, match="its digest differs"):
            use(moved.rooms, house.caller(), receipt.id)


@pytest.mark.parametrize(("role", "readable"), [("analyst", False), ("reviewer", True), ("auditor", True)])
def test_who_reads_receipts_of_others(house: House, role: str, readable: bool) -> None:
    """Reviewers and auditors read every receipt, others only their own; theirs alone are theirs."""
    house.register()
    receipt = answered(house, "demo")["receipt"]
    if readable:
        assert show_receipt(house.rooms, house.caller(role), receipt).receipt.id == receipt
    else:
        with pytest.raises(NotFound):
            show_receipt(house.rooms, house.caller(role), receipt)
    own = answered(house, "analyst")["receipt"]
    assert show_receipt(house.rooms, house.caller("analyst"), own).receipt.id == own


def test_a_grant_by_model_holds_for_receipts_too(house: House) -> None:
    """Who has lost the model reads none of its receipts."""
    house.register()
    receipt = answered(house)["receipt"]
    with pytest.raises(NotPermitted):
        show_receipt(house.rooms, house.caller(models=("other",)), receipt)
    assert [e.entry.outcome for e in house.entries()] == ["answered", "not-permitted"]


def test_a_replay_that_fails_is_recorded(house: House) -> None:
    """A model that fails now is an error of the replay, not a difference."""
    house.register()
    receipt = answered(house)["receipt"]
    house.workers.failing = ModelFailed("it divided by zero")
    with pytest.raises(ModelFailed):
        replay_receipt(house.rooms, house.serving, house.caller(), receipt)
    assert house.entries()[-1].entry.outcome == "model-failed"
