"""The use case of interactions: one ledger entry, no receipt, the leading pairs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import InvalidOption, InvalidRows, NotPermitted, TooLarge, WorkerDied
from explainer.records import ExplainOptions
from explainer.usecases import interact as module
from explainer.usecases.explain import ExplainAsk
from explainer.usecases.interact import MOST_ROWS, Interacted, interact
from tests.house import House, build
from tests.registry.folders import ROW


def ask(house: House, rows: Any = (ROW,), background: Any = None, role: str = "demo", **settings: Any) -> Interacted:
    given = ExplainAsk("credit", list(rows), ExplainOptions(**settings), None, background)
    return interact(house.rooms, house.serving, house.caller(role), given)


def test_the_leading_pairs_are_answered(house: House) -> None:
    """Every row has its pairs, main effects and the rest, which add up; the workers are asked with the method."""
    version = house.register()
    done = ask(house, (ROW, {**ROW, "months": None}), method="exact", top=1)
    assert done.version == version
    for i, item in enumerate(done.items):
        assert item["row"] == i
        assert item["interactions"] == [
            {"features": ["amount", "months"], "interaction": pytest.approx(0.02), "standard_error": 0.002}
        ]
        parts = [e["main_effect"] for e in item["main_effects"]] + [item["other"]["interaction"], 0.02]
        assert item["expected_value"] + math.fsum(parts) == pytest.approx(item["prediction"])
        assert item["other"]["pairs"] == 5
    assert house.workers.asked == ["open", "interact exact 2"]


def test_one_entry_and_no_receipt(house: House) -> None:
    """The ledger says who asked for what, without row values; nothing is kept to be replayed."""
    house.register()
    item = ask(house, background=[ROW, ROW]).items[0]
    assert "receipt" not in item
    (entry,) = house.entries()
    assert entry.entry.event == "api:interaction:create"
    assert entry.entry.outcome == "answered"
    assert (entry.entry.body["rows"], entry.entry.body["background_rows"]) == (1, 2)


def test_rows_of_the_request_are_the_background(house: House) -> None:
    """Another background gives other numbers, under its own name."""
    house.register()
    default, sent = ask(house).items[0], ask(house, background=[{**ROW, "amount": 99.0}]).items[0]
    assert sent["method"]["background"].startswith("rows:")
    assert sent["main_effects"] != default["main_effects"]


@pytest.mark.parametrize(
    ("rows", "settings", "error"),
    [
        ([], {}, InvalidRows),
        ([{**ROW, "colour": "red"}], {}, InvalidRows),
        ([ROW] * (MOST_ROWS + 1), {}, TooLarge),
        ([ROW], {"class_name": "ugly"}, InvalidOption),
        ([ROW], {"background": [7]}, InvalidRows),
    ],
)
def test_what_cannot_be_answered_is_refused(house: House, rows: Any, settings: Any, error: type[Exception]) -> None:
    """Refused before a worker is asked, and recorded once under the refusal's code."""
    house.register()
    with pytest.raises(error) as caught:
        ask(house, rows, **settings)
    assert not [a for a in house.workers.asked if a.startswith("interact")]
    assert [e.entry.outcome for e in house.entries()] == [caught.value.code]  # type: ignore[attr-defined]


def test_answers_that_would_be_too_large_are_refused() -> None:
    """The matrices of all rows together are bounded; the message says how many rows would do."""
    module._check_size(100, 141)
    with pytest.raises(TooLarge, match="at most 99 are answered"):
        module._check_size(100, 142)


def test_the_limit_of_the_settings_holds_too(tmp_path: Path) -> None:
    """A service that answers fewer rows answers fewer here."""
    house = build(tmp_path, max_rows=2)
    house.register()
    assert len(ask(house, [ROW] * 2).items) == 2
    with pytest.raises(TooLarge):
        ask(house, [ROW] * 3)


def test_who_may_not_explain_may_not_ask(house: House) -> None:
    """The permission is that of explanations."""
    house.register()
    with pytest.raises(NotPermitted):
        ask(house, role="administrator")


def test_a_failure_is_recorded(house: House) -> None:
    """What the model does wrong reaches the caller and the ledger."""
    house.register()
    house.workers.failing = WorkerDied("it ended")
    with pytest.raises(WorkerDied):
        ask(house)
    assert [e.entry.outcome for e in house.entries()] == ["worker-died"]
