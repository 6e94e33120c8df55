"""Sampled interactions are unbiased, say how far off they are, and keep to their budget."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from explainer.attribution.interactions.enumerated import enumerated
from explainer.attribution.interactions.sampled import price, sampled, walks
from explainer.attribution.maskers import background, differs
from explainer.errors import InvalidOption
from tests.attribution.fakes import bent, mixed_rows

AGAINST = background(mixed_rows(15, 3), "x")


def game(x: np.ndarray) -> np.ndarray:
    return np.stack([bent(x), np.sin(3 * x[:, 0] + x[:, 1] + np.nan_to_num(x[:, 5]))], axis=1)


@pytest.mark.parametrize("players", [0, 2, 4, 6, 12, 50])
def test_every_two_players_are_neighbours_once(players: int) -> None:
    """The walks go through all players each, and no pair is left out or met twice."""
    orders = walks(players)
    met = [frozenset(pair) for order in orders for pair in pairwise(order)]
    assert len(met) == len(set(met)) == players * (players - 1) // 2
    assert all(sorted(order) == list(range(players)) for order in orders)


@pytest.mark.parametrize("budget", [300, 3_000])
def test_the_mean_over_seeds_is_the_truth(budget: int) -> None:
    """Unbiased with a budget for all background rows and for some: 150 seeds average to the enumerated matrix."""
    row = mixed_rows(1, 9)[0]
    exact = enumerated(game, row, AGAINST).values
    draws = np.stack([sampled(game, row, AGAINST, seed, budget, 0.95).values for seed in range(150)])
    spread = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - exact) <= 4.5 * spread + 1e-9).all()
    assert (spread > 1e-4).any()


@pytest.mark.parametrize("budget", [300, 2_500, 6_000])
def test_intervals_hold(budget: int) -> None:
    """95 % intervals cover the truth in at least 92 % of the entries that were really sampled."""
    inside = total = 0
    for seed, row in enumerate(mixed_rows(60, 21)):
        exact, found = enumerated(game, row, AGAINST), sampled(game, row, AGAINST, seed, budget, 0.95)
        off, drawn = np.abs(found.values - exact.values), found.standard_errors > 1e-12
        inside += int((off <= 1.96 * found.standard_errors)[drawn].sum())
        total += int(drawn.sum())
        assert (off[~drawn] < 1e-9).all()
    assert total > 1000
    assert inside / total > 0.92


def test_sums_are_exact_when_every_background_row_is_walked_from() -> None:
    """The whole matrix and the expected value are the prediction, however few the walks."""
    for row in mixed_rows(4, 5):
        found = sampled(game, row, AGAINST, 1, 1_000, 0.95)
        assert np.allclose(found.expected + found.values.sum(axis=(0, 1)), game(row[None])[0], rtol=0, atol=1e-9)
        assert np.array_equal(found.values, found.values.transpose(1, 0, 2))


@pytest.mark.parametrize("budget", [100, 300, 1_000, 5_000])
def test_the_budget_is_kept_and_the_model_rows_are_counted(budget: int) -> None:
    """`evaluations` is what the model really saw beside the background, which counts for no row, and within budget."""
    seen = 0

    def counted(x: np.ndarray) -> np.ndarray:
        nonlocal seen
        seen += len(x)
        return game(x)

    row = mixed_rows(1, 9)[0]
    found = sampled(counted, row, AGAINST, 1, budget, 0.95)
    assert found.evaluations == seen - len(AGAINST.rows) <= budget
    few = budget < price(differs(row, AGAINST.rows)).sum()
    assert [n.code for n in found.notices] == (["background-sampled"] if few else [])


def test_a_budget_without_an_error_is_refused() -> None:
    """Walks from a single background row tell nothing of the error, so that is said instead."""
    with pytest.raises(InvalidOption, match="at least 61 model rows; 40 are allowed"):
        sampled(game, mixed_rows(1, 9)[0], AGAINST, 1, 40, 0.95)


def test_more_work_is_closer() -> None:
    """A budget is spent: sixteen times as much leaves about a quarter of the error."""
    row = mixed_rows(1, 9)[0]
    exact = enumerated(game, row, AGAINST).values
    off = [
        np.sqrt(np.mean([(sampled(game, row, AGAINST, s, budget, 0.95).values - exact) ** 2 for s in range(6)]))
        for budget in (2_500, 40_000)
    ]
    assert off[1] < off[0] / 2.5


def test_a_seed_repeats() -> None:
    """The same seed gives the same bits, another seed other ones."""
    row = mixed_rows(1, 9)[0]
    first, again, other = (sampled(game, row, AGAINST, seed, 1_000, 0.95).values for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_one_baseline_is_walked_from_more_than_once() -> None:
    """Against one row there is an error too, from several sets of walks; a row against itself has nothing to say."""
    row, one = mixed_rows(2, 9)
    found = sampled(game, row, background(one[None], "x"), 1, 10_000, 0.95)
    exact = enumerated(game, row, background(one[None], "x"))
    assert np.isfinite(found.standard_errors).all()
    assert (np.abs(found.values - exact.values) <= 5 * found.standard_errors + 1e-9).all()
    assert not sampled(game, row, background(row[None], "x"), 1, 100, 0.95).values.any()
