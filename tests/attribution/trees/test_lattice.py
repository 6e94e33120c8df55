"""The transforms over all coalitions do what their definitions say, for every number of players."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from explainer.attribution.trees.lattice import BITS, coalition_weights, shapley, zeta


@pytest.mark.parametrize("players", [0, 1, 2, 3, 4, 7])
def test_zeta_sums_over_subsets(players: int) -> None:
    """The value of a coalition is the sum of the coefficients of its subsets."""
    given = np.random.default_rng(players).normal(size=1 << players)
    found = given.copy()
    zeta(players, found)
    for s in range(1 << players):
        assert found[s] == pytest.approx(sum(given[t] for t in range(1 << players) if t & ~s == 0), abs=1e-12)


@pytest.mark.parametrize("players", [0, 1, 2, 3, BITS - 1, BITS, BITS + 1, BITS + 3])
def test_shapley_values_are_those_of_the_definition(players: int) -> None:
    """The weighted mean of what a player adds to every coalition of the others, within and beyond a block."""
    u = np.random.default_rng(players).normal(size=1 << players)
    found = np.zeros(players)
    shapley(players, u.copy(), coalition_weights(), found)
    size = np.bitwise_count(np.arange(1 << players))
    for i in range(players):
        without = np.flatnonzero((np.arange(1 << players) >> i) & 1 == 0)
        weight = [factorial(s) * factorial(players - 1 - s) / factorial(players) for s in size[without]]
        assert found[i] == pytest.approx(weight @ (u[without | (1 << i)] - u[without]), abs=1e-13)


def test_a_player_that_adds_a_constant_gets_it_among_twenty() -> None:
    """The largest lattice there is: an additive game gives each player its own share."""
    share = np.arange(20) / 7.0
    u = np.zeros(1 << 20)
    for i in range(20):
        u[1 << i : 2 << i] = u[: 1 << i] + share[i]
    found = np.zeros(20)
    shapley(20, u, coalition_weights(), found)
    assert np.allclose(found, share, rtol=0, atol=1e-11)


def test_a_number_that_is_none_is_not_hidden() -> None:
    """A value of NaN anywhere makes every Shapley value NaN."""
    u = np.zeros(1 << 9)
    u[77] = np.nan
    found = np.zeros(9)
    shapley(9, u, coalition_weights(), found)
    assert np.isnan(found).all()
