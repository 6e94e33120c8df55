"""A summary over rows says how much each feature moves the output, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.summary import summarised


def test_the_numbers_are_means_over_the_rows() -> None:
    """Mean size, mean, and share of positive rows, feature by feature in order."""
    values = np.array([[1.0, -2.0], [-3.0, -2.0], [5.0, 0.0]])
    first, second = summarised(values, np.zeros((3, 2)))
    assert (first.mean_absolute, first.mean, first.share_positive) == (3.0, 1.0, pytest.approx(2 / 3))
    assert (second.mean_absolute, second.mean, second.share_positive) == pytest.approx((4 / 3, -4 / 3, 0.0))
    assert first.standard_error == pytest.approx(np.std([1, 3, 5], ddof=1) / np.sqrt(3))
    assert first.mean_standard_error == pytest.approx(np.std([1, -3, 5], ddof=1) / np.sqrt(3))
    assert first.sampling_error == 0.0


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_intervals_of_the_mean_hold(noise: float) -> None:
    """Rows drawn at random, each with sampling noise of its own: 95 % intervals of the mean cover it."""
    rng = np.random.default_rng(4)
    values = rng.normal(0.3, 1.0, size=(60, 2000))
    seen = values + noise * rng.normal(size=values.shape)
    found = summarised(seen, np.full(seen.shape, noise))
    inside = [abs(f.mean - 0.3) <= 1.96 * float(f.mean_standard_error or 0) for f in found]
    assert 0.93 < np.mean(inside) < 0.97


def test_a_shared_seed_is_not_averaged_away() -> None:
    """Where one seed samples all rows their errors may go together, so the error does not fall with their number."""
    values, errors = np.ones((100, 1)), np.full((100, 1), 0.1)
    own, shared = (summarised(values, errors, shared_seed=s)[0] for s in (False, True))
    assert (own.standard_error, own.sampling_error) == pytest.approx((0.01, 0.01))
    assert (shared.standard_error, shared.sampling_error) == pytest.approx((0.1, 0.1))


def test_what_is_not_known_is_not_given() -> None:
    """One row has no spread; an attribution without an error leaves the mean's unknown."""
    assert summarised(np.ones((1, 1)), np.zeros((1, 1)))[0].standard_error is None
    unknown = summarised(np.ones((3, 1)), np.array([[0.0], [np.nan], [0.0]]))[0]
    assert (unknown.standard_error, unknown.mean_standard_error, unknown.sampling_error) == (None, None, None)


def test_no_rows_are_no_summary() -> None:
    """Nothing can be said about nothing."""
    with pytest.raises(ValueError, match="at least one row"):
        summarised(np.empty((0, 2)), np.empty((0, 2)))
