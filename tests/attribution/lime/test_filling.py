"""The compiled loop against scipy and against a plain account of what it should do."""

import numpy as np
from scipy.special import ndtri

from explainer.attribution.lime.filling import count, fill, locate, quantiles


def test_quantiles_are_scipys_from_the_far_tail_to_the_middle() -> None:
    """The quantile function has a relative error below 1e-14 over the whole range, at its joints too."""
    near_joints = np.concatenate([np.linspace(0.074, 0.076, 101), np.exp(-np.linspace(24.9, 25.1, 101))])
    shares = np.concatenate([10.0 ** -np.arange(1, 300), near_joints, np.random.default_rng(0).random(5000)])
    found = np.empty_like(shares)
    quantiles(shares.copy(), found)
    np.testing.assert_allclose(found, ndtri(shares), rtol=1e-14, atol=1e-15)


def test_quantiles_of_zero_and_one_are_finite() -> None:
    """A uniform variate of exactly 0, or a share rounded up to 1, gives a far but finite value."""
    found = np.empty(2)
    quantiles(np.array([0.0, 1.0]), found)
    assert np.isfinite(found).all()
    assert found[0] < -30
    assert found[1] > 8


def test_a_variate_picks_the_cell_whose_share_it_falls_into() -> None:
    """Cumulative shares 0.2, 0.7 and 1: a variate at a border belongs to the cell above it; padding is never chosen."""
    cells = np.full(6, 9, dtype=np.int32)
    locate(np.array([0.0, 0.19, 0.2, 0.69, 0.7, 0.9999]), np.array([0.2, 0.7, 1.0, 1.0]), cells)
    assert cells.tolist() == [0, 0, 1, 1, 2, 2]


def test_values_are_drawn_in_order_where_a_cell_draws() -> None:
    """Cells 0 and 2 draw, cell 1 is a fixed 7: two variates are taken, and only the row's own cell is marked."""
    table = np.array([[0.2, 0.7, 1], [1, 0, 1], [10, 7, 100], [2, 0, 3], [0.5, 0.5, 0.1], [0.25, 0, 0.4]])
    cells = np.array([2, 1, 0], dtype=np.int32)
    assert count(cells, table[1]) == 2
    rows, same = np.full((3, 2), -1.0), np.ones(3, dtype=bool)
    fill(cells, np.array([0.3, 0.6]), table, 1, rows[:, 1], same)
    expected = [100 + 3 * ndtri(0.1 + 0.4 * 0.3), 7, 10 + 2 * ndtri(0.5 + 0.25 * 0.6)]
    np.testing.assert_allclose(rows[:, 1], expected, rtol=1e-14)
    assert same.tolist() == [False, True, False]
    assert (rows[:, 0] == -1).all()
