"""Rows that are most like one row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.records import Feature, FloatArray
from explainer.reviews.distance import Gower
from explainer.reviews.similar import Similar, nearest, summarise
from tests.reviews.worlds import far, world

FEATURES = (
    Feature("months", "integer", nullable=True),
    Feature("purpose", "category", categories=("car", "house", "other")),
    Feature("amount", "number", nullable=True),
)
RANDOM = np.random.default_rng(3)
BACKGROUND = np.column_stack(
    [RANDOM.integers(6, 60, 100), RANDOM.integers(0, 3, 100), RANDOM.normal(1000, 200, 100)]
).astype(np.float64)
ROW = np.array([24.0, 1.0, 1000.0])


def similar(rows: FloatArray = BACKGROUND, count: int = 20, row: FloatArray = ROW) -> Similar:
    adverse = np.asarray(rows[:, 0] > 30)
    return summarise(row, FEATURES, (rows, adverse), Gower.of(FEATURES, rows), count)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_the_nearest_rows(seed: int, count: int) -> None:
    """They are those of a full sort, with their distances and the parts of these; of equal ones the earlier comes."""
    w = world(seed, features=4, rows=20)
    near = nearest(w.row, w.background, Gower.of(w.features, w.background), count)
    apart = [round(far(w, w.row, row), 9) for row in w.background]
    assert sorted(round(d, 9) for d in near.distances) == sorted(apart)[:count]
    assert list(near.distances) == sorted(near.distances)
    assert near.parts.mean(axis=1) == pytest.approx(near.distances)
    same = np.diff(near.distances) == 0
    assert (np.diff(near.indices)[same] > 0).all()


def test_facts_of_the_group() -> None:
    """Outcomes are counted, numbers have their median, categories their most common value, parts their share."""
    found = similar()
    group = BACKGROUND[nearest(ROW, BACKGROUND, Gower.of(FEATURES, BACKGROUND), 20).indices]
    assert (found.count, found.adverse) == (20, int((group[:, 0] > 30).sum()))
    months, purpose, amount = found.typical
    assert months.value == round(np.median(group[:, 0]))
    assert purpose.value == "house"
    assert amount.value == np.median(group[:, 2])
    assert (months.here, purpose.here, amount.here) == (24, "house", 1000.0)
    assert sum(t.share for t in found.typical) == pytest.approx(1.0)
    apart = np.sort(Gower.of(FEATURES, BACKGROUND).between(ROW, BACKGROUND))
    assert (found.nearest, found.farthest) == (pytest.approx(apart[4], rel=0.01), pytest.approx(apart[19], rel=0.01))
    assert found.told == f"Of the 20 nearest rows of the background {found.adverse} get the adverse outcome."


@pytest.mark.parametrize("size", [1, 4])
def test_too_few_rows_say_nothing(size: int) -> None:
    """A background smaller than the smallest group has no facts at all."""
    found = similar(BACKGROUND[:size])
    assert (found.count, found.adverse, found.typical) == (0, 0, ())


def test_a_group_is_never_too_small() -> None:
    """Who asks for one or two neighbours is told of five."""
    assert similar(count=1).count == 5


def test_what_too_few_share_is_not_told() -> None:
    """A value that fewer than five of the group share, or a number that fewer know, has nothing typical."""
    rows = BACKGROUND[:7].copy()
    rows[:, 1] = [0, 0, 1, 1, 1, 2, 2]
    rows[:3, 2] = np.nan
    months, purpose, amount = similar(rows, count=7).typical
    assert months.known
    assert (purpose.known, purpose.value) == (False, None)
    assert (amount.known, amount.value) == (False, None)


def test_nothing_but_twins() -> None:
    """Where all neighbours are equal to the row no feature has a share of the distance."""
    found = similar(np.tile(ROW, (10, 1)))
    assert (found.nearest, found.farthest) == (0.0, 0.0)
    assert {t.share for t in found.typical} == {0.0}
