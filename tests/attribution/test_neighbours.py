"""Background rows that resemble the known features count; where nothing is known all do."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.maskers import background, hybrids
from explainer.attribution.neighbours import KEPT, UNEQUAL, conditional_values, likeness, squared_distances
from tests.attribution.fakes import bent, mixed_rows

KINDS = np.array([0, 0, 0, 3, 3, 0])
AGAINST = background(mixed_rows(40, 3), "x")


def test_distances_are_in_standard_deviations() -> None:
    """Numbers by the background's own spread; categories equal or not; a missing value only like a missing one."""
    row = mixed_rows(1, 9)[0]
    found = squared_distances(row, AGAINST, KINDS)
    spread = AGAINST.rows[:, 0].std()
    assert found[:, 0] == pytest.approx(((AGAINST.rows[:, 0] - row[0]) / spread) ** 2)
    assert found[:, 3] == pytest.approx(UNEQUAL * (AGAINST.rows[:, 3] != row[3]))
    gone = row.copy()
    gone[5] = np.nan
    missing = squared_distances(gone, AGAINST, KINDS)[:, 5]
    assert missing == pytest.approx(np.where(np.isnan(AGAINST.rows[:, 5]), 0.0, UNEQUAL))


def test_a_feature_without_spread_is_equal_or_not() -> None:
    """A constant number has no scale: any other value is as far as another category."""
    constant = background(np.array([[1.0, 0.0], [1.0, 2.0]]), "x")
    found = squared_distances(np.array([5.0, 1.0]), constant, np.array([0, 0]))
    assert found[:, 0].tolist() == [UNEQUAL, UNEQUAL]


def test_weights_are_those_of_the_kernel() -> None:
    """By hand: mean squared distance over the known, bandwidth of the seventh nearest of 40, the leading rows kept."""
    squared = squared_distances(mixed_rows(1, 9)[0], AGAINST, KINDS)
    known = np.array([[True, False, True, True, False, False]])
    (found,) = likeness(squared, known, AGAINST.weights)
    mean = squared[:, [0, 2, 3]].mean(axis=1)
    kernel = AGAINST.weights * np.exp(-mean / (2 * np.sort(mean)[6]))
    kernel /= kernel.sum()
    assert found.sum() == pytest.approx(1.0)
    kept = found > 0
    assert found[kept] / found[kept].sum() == pytest.approx(kernel[kept] / kernel[kept].sum())
    assert kernel[kept].sum() >= KEPT
    assert kernel[kept].sum() - kernel[kept].min() < KEPT
    assert kernel[~kept].max() <= kernel[kept].min()


def test_where_nothing_is_known_every_row_counts() -> None:
    """The empty coalition has the background's own weights, none left out."""
    squared = squared_distances(mixed_rows(1, 9)[0], AGAINST, KINDS)
    assert likeness(squared, np.zeros((1, 6), dtype=bool), AGAINST.weights)[0] == pytest.approx(AGAINST.weights)


def test_rows_that_agree_share_the_weight() -> None:
    """Where enough rows have the known values exactly, only those count, by their own weights."""
    rows = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [1.0, 4.0]])
    against = background(rows, "x")
    squared = squared_distances(np.array([0.0, 9.0]), against, np.array([2, 0]))
    (found,) = likeness(squared, np.array([[True, False]]), against.weights)
    assert found.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0])


def test_values_are_weighted_means_of_the_model() -> None:
    """Each coalition's value is the mean of hybrid rows under its weights; the model rows are counted."""
    row, rng = mixed_rows(1, 9)[0], np.random.default_rng(1)
    known = rng.random((150, 6)) < 0.5
    squared = squared_distances(row, AGAINST, KINDS)
    seen = 0

    def game(x: np.ndarray) -> np.ndarray:
        nonlocal seen
        seen += len(x)
        return bent(x)[:, None]

    values, spent = conditional_values(game, row, AGAINST, squared, known)
    assert spent == seen
    weights = likeness(squared, known, AGAINST.weights)
    for i in (0, 70, 149):
        mixed = hybrids(row, AGAINST.rows, np.broadcast_to(known[i], AGAINST.rows.shape))
        assert values[i, 0] == pytest.approx(float(weights[i] @ bent(mixed)))
