"""Weighted background rows as the rows they stand for."""

import numpy as np
import pytest

from explainer.attribution.lime.repeats import repeated
from explainer.attribution.maskers import background
from explainer.attribution.ports import Background


def test_rows_are_repeated_as_often_as_they_occurred() -> None:
    """Distinct rows and weights made from 1,000 rows with many repeats give back the same multiset of rows."""
    rows = np.random.default_rng(0).integers(0, 5, size=(1000, 2)).astype(float)
    again = repeated(background(rows, "b"))
    np.testing.assert_array_equal(np.unique(again, axis=0, return_counts=True)[1], _counts(rows))
    assert len(again) == 1000


def _counts(rows: np.ndarray) -> np.ndarray:
    return np.unique(rows, axis=0, return_counts=True)[1]


def test_the_rarest_row_may_occur_more_than_once() -> None:
    """Weights 2/5 and 3/5 stand for five rows although the smallest weight is not 1/5."""
    again = repeated(Background(np.array([[1.0], [2.0]]), np.array([0.4, 0.6]), "b"))
    np.testing.assert_array_equal(again.ravel(), [1, 1, 2, 2, 2])


def test_weights_that_count_nothing_are_refused() -> None:
    """Weights in an irrational ratio are no numbers of occurrences, and the error says what is wanted."""
    with pytest.raises(ValueError, match="multiples of 1/n"):
        repeated(Background(np.array([[1.0], [2.0]]), np.array([1, np.sqrt(2)]) / (1 + np.sqrt(2)), "b"))
