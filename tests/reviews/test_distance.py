"""Distances between rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.records import Feature
from explainer.reviews.distance import Gower, differences, ordinary, plain, told, worded
from tests.reviews.worlds import far, world

NAN = float("nan")
FEATURES = (
    Feature("months", "integer"),
    Feature("amount", "number"),
    Feature("purpose", "category", categories=("car", "house")),
    Feature("phone", "boolean"),
)
BACKGROUND = np.array([[m, m * 100.0, m % 2, 1.0] for m in range(1, 41)], dtype=np.float64)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_as_written_down(seed: int, wide: bool) -> None:
    """Distances are those of the definition, computed value by value."""
    w = world(seed, features=5, wide=wide)
    gower = Gower.of(w.features, w.background)
    assert gower.between(w.row, w.background) == pytest.approx([far(w, w.row, other) for other in w.background])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_a_metric(seed: int) -> None:
    """Nothing is far from itself, both ways are as long, and no detour is shorter; all lie between 0 and 1."""
    w = world(seed, features=4, rows=12, wide=True)
    gower = Gower.of(w.features, w.background)
    apart = np.array([gower.between(row, w.background) for row in w.background])
    assert (np.diag(apart) == 0).all()
    assert apart == pytest.approx(apart.T)
    assert apart.min() >= 0
    assert apart.max() <= 1
    assert (apart[:, None, :] <= apart[:, :, None] + apart[None, :, :] + 1e-12).all()


def test_a_heavy_tail_hides_nothing() -> None:
    """One amount a million times as large as the others leaves the distances between these as they were."""
    rows = BACKGROUND.copy()
    rows[-1, 1] = 1e9
    before = Gower.of(FEATURES, BACKGROUND).parts(rows[4], rows[24:25])[0, 1]
    after = Gower.of(FEATURES, rows).parts(rows[4], rows[24:25])[0, 1]
    assert after == pytest.approx(before, rel=0.1)


def test_missing_beside_known() -> None:
    """A missing value differs wholly from one that is known, and not at all from another that is missing."""
    gower = Gower.of(FEATURES, BACKGROUND)
    row, other = np.array([NAN, NAN, 0.0, NAN]), np.array([[12.0, NAN, NAN, 1.0]])
    assert gower.parts(row, other).tolist() == [[1.0, 0.0, 1.0, 1.0]]


def test_a_constant_differs_wholly() -> None:
    """Where the background has one value only, another number is as different as another category."""
    rows = np.full((10, 4), 1.0)
    assert Gower.of(FEATURES, rows).parts(rows[0], np.array([[1.0, 2.0, 1.0, 0.0]])).tolist() == [[0, 1, 0, 1]]


def test_why_two_rows_differ() -> None:
    """The features that make up most of a distance are named in order, with both values; small parts are not."""
    gower = Gower.of(FEATURES, BACKGROUND)
    row, other = np.array([24.0, 2400.0, 0.0, NAN]), np.array([25.0, 3900.0, 1.0, NAN])
    parts = gower.parts(row, other[None])[0]
    found = differences(FEATURES, parts, row, other)
    assert [d.feature for d in found] == ["purpose", "amount"]
    assert sum(d.share for d in found) == pytest.approx((parts[1] + parts[2]) / parts.sum())
    assert told(found) == "differs mostly in purpose (car, there house), amount (2,400, there 3,900)"
    assert told(differences(FEATURES, gower.parts(row, row[None])[0], row, row)) == "does not differ"


def test_values_in_words() -> None:
    """Coded cells come back as JSON values, and those as words."""
    values = [plain(f, x) for f, x in zip(FEATURES, (12.0, 0.1 + 0.2, 1.0, 0.0), strict=True)]
    assert values == [12, 0.1 + 0.2, "house", False]
    assert [worded(v) for v in (*values, None, True, 12345.0)] == [
        "12",
        "0.3",
        "house",
        "no",
        "missing",
        "yes",
        "12,345",
    ]


def test_nothing_known() -> None:
    """A column without a known value has no ordinary range."""
    assert np.isnan(ordinary(np.array([NAN, NAN]))).all()
