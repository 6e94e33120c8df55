"""Perturbed rows are what explanations ask about: made of the values of real rows, and unlike them."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.vetting.perturbed import drawn_apart, mixtures

REAL = np.arange(40.0).reshape(10, 4)
BACKGROUND = -1 - REAL


@pytest.mark.parametrize("features", [2, 4])
def test_a_mixture_holds_values_of_two_rows(features: int) -> None:
    """Each row has some features of one real row and the others of one background row, a quarter of each at least."""
    rows = mixtures(REAL[:, :features], BACKGROUND[:, :features], 200, np.random.default_rng(0))
    for row in rows:
        real = row >= 0
        assert 1 <= real.sum() < features
        assert len(set(row[real] // 4)) == 1
        assert len(set((-1 - row[~real]) // 4)) == 1


def test_features_are_drawn_apart() -> None:
    """Categories keep their shares and lose their company; whole numbers stay whole and within the background's."""
    random = np.random.default_rng(0)
    pairs = np.repeat([[0.0, 0.0, 10.0], [1.0, 1.0, 90.0]], 50, axis=0)
    rows = drawn_apart(pairs, np.array([2, 2, 0]), 2000, random)
    assert set(rows[:, 0]) == {0.0, 1.0}
    assert abs(np.corrcoef(rows[:, 0], rows[:, 1])[0, 1]) < 0.1
    assert ((rows[:, 2] >= 10) & (rows[:, 2] <= 90) & (rows[:, 2] == np.round(rows[:, 2]))).all()


def test_missing_values_stay_as_frequent() -> None:
    """A number that is missing in a third of the background is missing in about a third of what is drawn."""
    column = np.array([[np.nan], [1.5], [2.5]] * 10)
    rows = drawn_apart(column, np.array([0]), 3000, np.random.default_rng(0))
    assert np.isnan(rows).mean() == pytest.approx(1 / 3, abs=0.04)
