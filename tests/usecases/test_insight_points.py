"""Bands and points of one feature: nothing in them stands for fewer rows than it may, and the sums are right."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explainer.records import Feature, FloatArray
from explainer.usecases.insight_points import Band, bands, steps, swarm

NUMBER = Feature("amount", "number", nullable=True)
KIND = Feature("kind", "category", categories=("car", "house", "boat"))
PHONE = Feature("phone", "boolean")
values_of = arrays(
    np.float64,
    st.integers(0, 60),
    elements=st.one_of(st.just(float("nan")), st.integers(-4, 4).map(float), st.floats(-1e6, 1e6)),
)


@given(values_of, st.integers(1, 9), st.integers(1, 9))
def test_no_band_is_smaller_than_it_may_be(values: FloatArray, most: int, group: int) -> None:
    """Every band of numbers or missing values has at least `group` rows, no row is in two, equal values are in one."""
    found = bands(NUMBER, values, most, group)
    rows = [i for band in found for i in band.rows]
    assert all(len(band.rows) >= group for band in found)
    assert len(rows) == len(set(rows))
    known = [band for band in found if band.label is None]
    assert len(known) <= most
    for left, right in pairwise(known):
        assert max(values[list(left.rows)]) < min(values[list(right.rows)])


@given(values_of, st.integers(1, 9))
def test_all_known_values_are_banded_where_there_are_enough(values: FloatArray, group: int) -> None:
    """Numbers are left out only when there are fewer than a group of them altogether."""
    known = int(np.count_nonzero(~np.isnan(values)))
    told = sum(len(b.rows) for b in bands(NUMBER, values, 8, group) if b.label is None)
    assert told == (known if known >= group else 0)


def test_the_outermost_ends_are_not_told() -> None:
    """Lowest and highest value belong to single rows; the ends between are rounded to two digits."""
    low, middle, high = bands(NUMBER, np.array([1234.5, 2, 3, 4567.8, 5000, 6000, 7891, 8000, 9999]), 3, 3)
    assert (low.low, low.high) == (None, 1200.0)
    assert (middle.low, middle.high) == (4600.0, 6000.0)
    assert (high.low, high.high) == (7900.0, None)


def test_rare_categories_are_told_together_or_not_at_all() -> None:
    """A category of fewer rows than a group goes into one band with the others, which has to be large enough too."""
    codes = np.array([0.0] * 6 + [1.0] * 2 + [2.0] * 3)
    assert bands(KIND, codes, 8, 5) == (
        Band("car", None, None, tuple(range(6))),
        Band("other values", None, None, (6, 7, 8, 9, 10)),
    )
    assert [b.label for b in bands(KIND, codes[:10], 8, 5)] == ["car"]
    assert [b.label for b in bands(PHONE, np.array([0.0, 1, 1]), 8, 1)] == ["no", "yes"]


def test_a_swarm_rounds_and_sorts() -> None:
    """Points are multiples of the cell in order of attribution, coloured by their value's fifth."""
    values, amounts = np.arange(10.0), np.arange(10.0)[::-1] / 10 + 0.04
    found = swarm(NUMBER, values, amounts, 0.1, group=2)
    assert [s.amount for s in found.spots] == pytest.approx([i / 10 for i in range(10)])
    assert [s.shade for s in found.spots] == [1.0, 1.0, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25, 0.0, 0.0]
    assert found.quantiles[2] == pytest.approx(0.45)
    assert found.left_out == 0


def test_a_swarm_leaves_rare_values_out() -> None:
    """One missing value among many is not drawn, and that is counted; categories have no colour."""
    found = swarm(NUMBER, np.array([1.0] * 6 + [np.nan]), np.ones(7), 0.1)
    assert (len(found.spots), found.left_out) == (6, 1)
    assert {s.shade for s in found.spots} == {0.5}
    assert {s.shade for s in swarm(KIND, np.zeros(6), np.ones(6), 0.1).spots} == {None}
    assert {s.shade for s in swarm(PHONE, np.array([0.0, 1] * 5), np.ones(10), 0.1).spots} == {0.0, 1.0}
    nothing = swarm(NUMBER, np.ones(3), np.zeros(3), 0.0)
    assert (nothing.spots, nothing.quantiles, nothing.left_out) == ((), (), 3)


def test_steps_are_means_with_their_errors() -> None:
    """Mean, spread, and the larger of the error between rows and that of sampling; unknown stays unknown."""
    amounts = np.array([1.0, 3, 1, 3, 10, 10, 10, 10])
    errors = np.array([0.0] * 4 + [2.0] * 4)
    low, high = steps(NUMBER, np.array([1.0] * 4 + [2.0] * 4), amounts, errors, group=4)
    assert (low.mean, low.deviation) == (2.0, 1.0)
    assert low.standard_error == pytest.approx(np.std([1, 3, 1, 3], ddof=1) / 2)
    assert (high.mean, high.standard_error, high.deviation) == (10.0, 1.0, 0.0)
    (unknown,) = steps(NUMBER, np.ones(5), np.ones(5), np.full(5, np.nan))
    assert unknown.standard_error is None
