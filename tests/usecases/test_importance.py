"""The use case of importance: many rows explained by way of the cache, summarised, with one ledger entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.errors import InvalidOption, InvalidRows, NotPermitted
from explainer.records import ExplainOptions
from explainer.usecases.explain import ExplainAsk, explain
from explainer.usecases.importance import Ranked, importance
from tests.house import House
from tests.registry.folders import ROW

ROWS = [{**ROW, "amount": float(i), "months": None if i == 2 else 10 * i + 1} for i in range(5)]


def ask(house: House, rows: Any = ROWS, *, points: bool = False, role: str = "demo", **settings: Any) -> Ranked:
    background = settings.pop("background", None)
    given = ExplainAsk("credit", rows, ExplainOptions(**settings), None, background)
    return importance(house.rooms, house.serving, house.caller(role), given, points=points)


def test_the_numbers_are_those_of_the_rows(house: House) -> None:
    """Means over the attributions that explaining the rows gives, features in order of importance."""
    version = house.register()
    done = ask(house)
    assert done.version == version
    (item,) = done.items
    given = ExplainAsk("credit", ROWS, ExplainOptions())
    full = explain(house.rooms, house.serving, house.caller(), given).full
    attributions = np.array([e.attributions for (e,) in full])
    means = dict(zip(["amount", "months", "purpose", "phone"], np.abs(attributions).mean(axis=0), strict=True))
    assert {f["feature"]: f["mean_absolute"] for f in item["features"]} == pytest.approx(means)
    order = [f["mean_absolute"] for f in item["features"]]
    assert order == sorted(order, reverse=True)
    assert item["rows"] == [0, 1, 2, 3, 4]


def test_rows_that_are_known_are_not_computed_again(house: House) -> None:
    """The answers are shared with `explain`, in both directions; no receipts are made."""
    house.register()
    ask(house)
    assert explain(house.rooms, house.serving, house.caller(), ExplainAsk("credit", ROWS, ExplainOptions())).items[0][
        "cache"
    ] == "hit"  # fmt: skip
    ask(house, [*ROWS, {**ROW, "amount": 77.0}])
    assert house.workers.asked == ["open", "explain auto 5", "explain auto 1"]
    assert [e.entry.body.get("hits") for e in house.entries()] == [0, 5, 5]
    assert [e.entry.event for e in house.entries()][::2] == ["api:importance:create"] * 2
    assert "first_receipt" not in house.entries()[0].entry.body


def test_points_come_with_their_values(house: House) -> None:
    """For a beeswarm every row's attribution stands beside its value, a missing one as null."""
    house.register()
    by_name = {f["feature"]: f for f in ask(house, points=True).items[0]["features"]}
    assert by_name["months"]["values"] == [1, 11, None, 31, 41]
    assert by_name["amount"]["values"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert len(by_name["amount"]["attributions"]) == 5


def test_every_class_has_a_summary_of_its_own(house: House) -> None:
    """`all` gives one for each class; in a binary model they mirror each other."""
    house.register()
    bad, good = ask(house, class_name="all").items
    assert (bad["class"], good["class"]) == ("bad", "good")
    means = [{f["feature"]: f["mean"] for f in item["features"]} for item in (bad, good)]
    assert means[0] == pytest.approx({name: -mean for name, mean in means[1].items()})


def test_a_cohort_can_be_the_background(house: House) -> None:
    """The rows of the request stand for 'absent', and the summary says so."""
    house.register()
    assert ask(house, background=[ROW]).items[0]["background"].startswith("rows:")
    assert house.entries()[0].entry.body["background_rows"] == 1


@pytest.mark.parametrize(
    ("rows", "settings", "error"),
    [([], {}, InvalidRows), ([{"a": 1}], {}, InvalidRows), (ROWS, {"method": "magic"}, InvalidOption)],
)
def test_what_cannot_be_answered_is_recorded_once(
    house: House, rows: Any, settings: Any, error: type[Exception]
) -> None:
    """A refusal has its own entry and no numbers."""
    house.register()
    with pytest.raises(error) as caught:
        ask(house, rows, **settings)
    assert [e.entry.outcome for e in house.entries()] == [caught.value.code]  # type: ignore[attr-defined]


def test_who_may_not_explain_may_not_ask(house: House) -> None:
    """The permission is that of explanations."""
    house.register()
    with pytest.raises(NotPermitted):
        ask(house, role="administrator")
