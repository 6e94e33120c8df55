"""What `maskers` promises: a background without repetition, and hybrid rows."""

import numpy as np
import pytest

from explainer.attribution.game import in_space
from explainer.attribution.maskers import background, baseline_values, canonical, differs, hybrids
from tests.attribution.fakes import regression

ROWS = np.array([[1.0, np.nan], [0.0, 2.0], [1.0, np.nan], [-0.0, 2.0], [3.0, 4.0]])


def test_equal_rows_become_one_with_their_weight():
    """NaN equals NaN and -0 equals 0; order of first appearance is kept; weights sum to one."""
    made = background(ROWS, "digest", "other")
    assert np.array_equal(made.rows, [[1.0, np.nan], [0.0, 2.0], [3.0, 4.0]], equal_nan=True)
    assert made.weights.tolist() == [0.4, 0.4, 0.2]
    assert (made.digest, made.name) == ("digest", "other")


def test_a_background_needs_rows():
    """No rows cannot stand for 'absent'."""
    with pytest.raises(ValueError, match="at least one row"):
        background(ROWS[:0], "digest")


def test_canonical_rows_have_one_pattern_for_missing_and_for_zero():
    """A NaN with another payload and a negative zero have the same bytes as the usual ones."""
    odd = np.frombuffer(np.uint64(0xFFF8000000000123).tobytes(), dtype=np.float64)
    assert canonical(np.append(odd, -0.0)).tobytes() == np.array([np.nan, 0.0]).tobytes()


def test_a_missing_value_differs_from_a_number_but_not_from_a_missing_one():
    """The players against a baseline are exactly the features whose value is another."""
    assert differs(np.array([1.0, np.nan]), ROWS[[0, 1]]).tolist() == [[False, False], [True, True]]


def test_hybrids_take_the_row_where_it_is_known():
    """Known features come from the row, the others from the baseline."""
    got = hybrids(np.array([7.0, 8.0]), ROWS[[1, 4]], np.array([[True, False], [False, True]]))
    assert got.tolist() == [[7.0, 2.0], [3.0, 8.0]]


def test_the_expected_value_is_the_mean_over_all_rows_repeated_ones_too():
    """Weights make the deduplicated background's mean that of the rows as they were given."""
    game = in_space(regression(lambda x: x[:, 0]), "raw", (0,))
    values, expected = baseline_values(game, background(ROWS, "digest"))
    assert values[:, 0].tolist() == [1.0, 0.0, 3.0]
    assert expected[0] == pytest.approx(ROWS[:, 0].mean(), abs=1e-15)
