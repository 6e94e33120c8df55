"""What `estimator` promises: exact for additive games of any design, exact when whole, and unbiased for any game."""

from itertools import permutations

import numpy as np
import pytest

from explainer.attribution.enumeration import shapley
from explainer.attribution.sampled.estimator import estimator


def estimated(plan, value):
    """Values (m,) of a game given by all its coalitions' values, player j being bit j."""
    codes = plan.known @ (1 << np.arange(plan.known.shape[1]))
    full = len(value) - 1
    total = value[full] - value[0]
    difference = value[codes] - value[full - codes]
    return total / plan.known.shape[1] + plan.values @ ((difference - plan.line * total) / 2)


@pytest.mark.parametrize(("players", "pairs"), [(4, 6), (5, 12), (6, 15)])
def test_the_mean_over_all_relabellings_is_the_shapley_value(players, pairs):
    """A random game, its players renamed in every way, a design that is not whole: no bias beyond rounding."""
    plan = estimator(players, pairs)
    value = np.random.default_rng(players).normal(size=1 << players)
    codes = np.arange(1 << players)
    bits = (codes[:, None] >> np.arange(players)) & 1
    found = []
    for order in permutations(range(players)):
        renamed = value[bits @ (1 << np.array(order))]
        answer = np.empty(players)
        answer[list(order)] = estimated(plan, renamed)
        found.append(answer)
    truth = shapley(value[None, :, None])[0, :, 0]
    assert len(plan.known) < 2 ** (players - 1) - 1
    assert np.mean(found, axis=0) == pytest.approx(truth, abs=1e-9)
    assert np.std(found, axis=0).max() > 0.01


@pytest.mark.parametrize("players", [2, 3, 6, 9])
def test_with_all_pairs_the_values_are_exact(players):
    """A random game, as many pairs as there are: the Shapley values, and no coefficient that carries error."""
    plan = estimator(players, 1 << players)
    value = np.random.default_rng(0).normal(size=1 << players)
    assert estimated(plan, value) == pytest.approx(shapley(value[None, :, None])[0, :, 0], abs=1e-12)
    assert not plan.noise.any()


@pytest.mark.parametrize(("players", "rounds"), [(7, 3), (30, 3), (30, 16), (61, 4)])
def test_every_size_counts_as_often_as_it_should(players, rounds):
    """The condition for no bias: over a class, x . L sums to the number of sizes that the class stands for."""
    plan = estimator(players, rounds * (players - 1))
    size = plan.known.sum(axis=1)
    slopes = plan.known - size[:, None] / players
    for s in np.unique(size):
        due = 2 if 2 * s < players else 1
        assert (plan.values.T * slopes)[size == s].sum() == pytest.approx(due, abs=1e-9)
    assert plan.values.sum(axis=0) == pytest.approx(np.zeros(len(size)), abs=1e-9)


def test_pairwise_games_are_nearly_exact():
    """Pairs of players cancel in D, so a game without larger interactions leaves almost no residual."""
    rng = np.random.default_rng(3)
    slopes, pairs = rng.normal(size=12), rng.normal(size=(12, 12))
    bits = (np.arange(1 << 12)[:, None] >> np.arange(12)) & 1
    value = bits @ slopes + np.einsum("ci,ij,cj->c", bits, pairs, bits)
    truth = slopes + (pairs + pairs.T).sum(axis=1) / 2
    off = estimated(estimator(12, 66), value) - truth
    assert np.abs(off).max() < 0.01 * np.abs(truth).max()
