"""Overview and dependence of a model: the numbers are those of the rows, and no row of the background leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.access.budgets import Limits
from explainer.disclosure.levels import Policy
from explainer.errors import BudgetExhausted, InvalidOption, NotFound, NotPermitted
from explainer.records import ExplainOptions
from explainer.usecases.explain import ExplainAsk, explain
from explainer.usecases.insight_pages import Dependence, InsightAsk, Overview, dependence, overview
from tests.house import House
from tests.registry.folders import FEATURES, ROW
from tests.webui.site import register

KINDS = ("car", "house", "other")
ROWS = [
    {**ROW, "amount": float(i), "months": None if i < 6 else i, "purpose": KINDS[i % 3], "phone": i % 2 == 0}
    for i in range(24)
]


def over(house: House, role: str = "demo", **changes: Any) -> Overview:
    return overview(house.rooms, house.serving, house.caller(role), InsightAsk("credit", **changes))


def one(house: House, feature: str, role: str = "demo", **changes: Any) -> Dependence:
    return dependence(house.rooms, house.serving, house.caller(role), InsightAsk("credit", **changes), feature)


def test_importances_are_those_of_the_background(house: House) -> None:
    """Means over the attributions that explaining its rows gives; the entry names the rows' source and no value."""
    register(house, FEATURES, ROWS)
    found = over(house)
    full = explain(house.rooms, house.serving, house.caller(), ExplainAsk("credit", ROWS, ExplainOptions())).full
    amounts = np.array([e.attributions for (e,) in full])
    means = dict(zip([f.name for f in FEATURES], np.abs(amounts).mean(axis=0), strict=True))
    assert {f["feature"]: f["mean_absolute"] for f in found.item["features"]} == pytest.approx(means)
    assert (found.source, found.rows, found.there) == ("background", 24, 24)
    assert [s.feature for s in found.swarms] == [f["feature"] for f in found.item["features"]]
    assert "values" not in found.item["features"][0]
    entry = house.entries()[0].entry
    assert (entry.event, entry.outcome) == ("api:overview:create", "answered")
    assert entry.body["rows_of"] == "background"
    assert (entry.body["rows"], entry.body["hits"]) == (24, 0)


def test_known_rows_are_not_computed_again(house: House) -> None:
    """A second look, and another feature's plot, come from the cache."""
    register(house, FEATURES, ROWS)
    over(house)
    over(house)
    one(house, "amount")
    assert [asked for asked in house.workers.asked if asked.startswith("explain")] == ["explain auto 24"]
    assert [e.entry.body["hits"] for e in house.entries()] == [0, 24, 24]


def test_a_long_background_is_thinned(house: House) -> None:
    """Of more than 200 rows every n-th is taken, the first and the last among them."""
    register(house, FEATURES, [{**ROW, "amount": float(i)} for i in range(300)])
    found = over(house)
    assert (found.rows, found.there) == (200, 300)


def test_bands_of_the_background_hold_at_least_five_rows(house: House) -> None:
    """Numbers come in bands without the outermost ends, missing ones in their own; no single point is told."""
    register(house, FEATURES, ROWS)
    found = one(house, "months")
    assert all(len(s.band.rows) >= 5 for s in found.steps)
    assert (found.steps[0].band.low, found.steps[-2].band.high, found.steps[-1].band.label) == (None, None, "missing")
    assert (found.points, found.left_out, found.exact) == ((), 0, True)
    assert [s.band.label for s in one(house, "purpose").steps] == list(KINDS)


def test_samples_are_told_point_by_point(house: House) -> None:
    """They are public with the model: values and attributions as they are; the extraction meter hears of them."""
    register(house, FEATURES, ROWS)
    found = one(house, "months", rows="samples")
    assert [p.value for p in found.points] == [r["months"] for r in ROWS]
    assert found.steps == ()
    house.rooms.extraction.flush()
    assert [r.tally.rows for r in house.rooms.extraction.store.all()] == [24]


def test_the_extraction_meter_does_not_hear_of_sums(house: House) -> None:
    """What is shown of the background are sums, of which nobody can make a copy row by row."""
    register(house, FEATURES, ROWS)
    over(house)
    house.rooms.extraction.flush()
    assert house.rooms.extraction.store.all() == []


def test_a_small_background_is_not_summed_up(house: House) -> None:
    """A mean over 19 rows is close to single rows: the samples are offered instead."""
    register(house, FEATURES, ROWS[:19])
    with pytest.raises(InvalidOption, match="stay here; choose the samples"):
        over(house)
    assert over(house, rows="samples").rows == 19


def test_what_cannot_be_asked(house: House) -> None:
    """Another source, a feature that is not there, and samples that did not come with the model."""
    register(house, FEATURES, ROWS)
    with pytest.raises(InvalidOption, match="background, samples"):
        over(house, rows="mine")
    with pytest.raises(NotFound, match="it has amount"):
        one(house, "ammount")
    house.register(name="bare", version="1")
    with pytest.raises(InvalidOption, match="comes without samples"):
        overview(house.rooms, house.serving, house.caller(), InsightAsk("bare", rows="samples"))


@pytest.mark.parametrize("role", ["administrator", "application", "auditor"])
def test_roles_that_see_no_sizes_see_none(house: House, role: str) -> None:
    """Who may not explain, or is shown reasons only, is refused with one entry."""
    register(house, FEATURES, ROWS)
    with pytest.raises(NotPermitted):
        over(house, role)
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]
    assert "explain auto 24" not in house.workers.asked


def test_a_role_without_values_sees_bars_alone(house: House) -> None:
    """Sums yes, points and plots of values no."""
    register(house, FEATURES, ROWS)
    house.rooms.policies.set("analyst", "credit", Policy(values=False), "test")
    found = over(house, "analyst")
    assert (found.swarms, len(found.item["features"])) == ((), 4)
    with pytest.raises(NotPermitted, match="values of rows"):
        one(house, "amount", "analyst")


def test_the_budget_is_charged(house: House) -> None:
    """The rows count as if they had been sent."""
    register(house, FEATURES, ROWS)
    house.rooms.budgets.set("analyst", "credit", Limits(rows_day=30), "test")
    over(house, "analyst")
    with pytest.raises(BudgetExhausted):
        over(house, "analyst")


def test_another_output_has_other_numbers(house: House) -> None:
    """The space that was asked for is the one that is told."""
    register(house, FEATURES, ROWS)
    assert over(house, output="log_odds").item["output"] == "log_odds"
    assert over(house).item["output"] == "probability"
