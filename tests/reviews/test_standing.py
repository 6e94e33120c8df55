"""The place of a value in the background's distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.records import Feature, FloatArray
from explainer.reviews.standing import MOST_BINS, Bin, Standing, stand

NAN = float("nan")


def one(feature: Feature, value: float, column: FloatArray) -> Standing:
    return stand(np.array([value]), (feature,), np.asarray(column, dtype=np.float64)[:, None])[0]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6) | st.integers(0, 5).map(float) | st.just(NAN), min_size=1, max_size=80),
    st.floats(-2e6, 2e6),
    st.booleans(),
)
def test_bins(column: list[float], value: float, whole: bool) -> None:
    """Bins hold every known row once, each at least five, at most MOST_BINS, side by side, and one has the value."""
    rows = np.array(column)
    rows, value = (np.floor(rows), float(np.floor(value))) if whole else (rows, value)
    found = one(Feature("x", "integer" if whole else "number"), value, rows)
    known = rows[~np.isnan(rows)]
    if len(known) < 5:
        assert (found.bins, found.quantile, found.at) == ((), None, None)
        return
    assert len(found.bins) <= MOST_BINS
    for b in found.bins:
        inside = (known >= (-np.inf if b.low is None else b.low)) & (known < (np.inf if b.high is None else b.high))
        assert b.count == inside.sum() >= 5
    assert sum(b.count for b in found.bins) == len(known)
    assert [b.low for b in found.bins[1:]] == [b.high for b in found.bins[:-1]]
    assert (found.bins[0].low, found.bins[-1].high) == (None, None)
    assert found.at is not None
    at = found.bins[found.at]
    assert at.low is None or value >= at.low
    assert at.high is None or value < at.high
    exact = ((known < value).mean() + (known <= value).mean()) / 2
    assert found.quantile == pytest.approx(exact, abs=2.5 / len(known) + 1e-12)


def test_quantiles_are_told_in_groups() -> None:
    """One value more or less does not show: the quantile moves by whole groups of five rows."""
    told = [one(Feature("x", "number"), v, np.arange(100)).quantile for v in np.linspace(-1, 101, 500)]
    assert np.unique(np.array(told, dtype=np.float64)) == pytest.approx(np.arange(21) * 0.05)


def test_edges_are_round() -> None:
    """A distribution is cut at round numbers, and its ends are open: nobody's value is an edge but by chance."""
    bins = one(Feature("x", "number"), 3.0, np.linspace(0.37, 99.13, 200)).bins
    assert [b.high for b in bins[:-1]] == [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]


def test_a_constant_is_one_bin() -> None:
    """A number that never differs has one bin, and half of the rows count as below an equal value."""
    found = one(Feature("x", "integer"), 7.0, np.full(20, 7.0))
    assert found.bins == (Bin(None, None, 20),)
    assert found.quantile == 0.5


def test_shares_of_categories() -> None:
    """Rows with the same value are counted; few are told as fewer than five, nearly all as more than all but five."""
    feature = Feature("c", "category", categories=("a", "b", "c", "d"))
    column = np.array([0.0] * 60 + [1.0] * 37 + [2.0] * 3)
    words = [one(feature, v, column).same.words for v in (0.0, 1.0, 2.0, 3.0)]  # type: ignore[union-attr]
    assert words == ["60 of 100", "37 of 100", "fewer than 5 of 100", "fewer than 5 of 100"]
    rare = one(Feature("b", "boolean"), 1.0, np.array([1.0] * 98 + [0.0] * 2))
    assert rare.same is not None
    assert (rare.same.count, rare.same.words, rare.value) == (None, "more than 95 of 100", True)


def test_missing_values() -> None:
    """How many rows miss the value is told by the same rule; a missing value itself has no place."""
    column = np.array([1.0] * 50 + [2.0] * 30 + [NAN] * 20)
    number = one(Feature("x", "number", nullable=True), NAN, column)
    assert (number.missing.words, number.quantile, number.at) == ("20 of 100", None, None)
    assert sum(b.count for b in number.bins) == 80
    kind = one(Feature("c", "category", categories=("a", "b", "c"), nullable=True), NAN, column)
    assert (kind.same, kind.value) == (None, None)
