"""What `bent` promises: a curve like the logistic one whose Shapley values are exact for an additive game."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from explainer.attribution.sampled.bent import Bent, curved, curved_differences


def curve(t, reach):
    """The sines themselves, from the differences about zero: odd around one half."""
    return 0.5 + curved_differences(np.zeros(len(t)), t[None], reach)[0] / 2


@pytest.mark.parametrize("reach", [4.0, 12.0, 40.0])
def test_the_curve_is_the_logistic_function_within_its_reach(reach):
    """Never off by more than 2e-4."""
    t = np.linspace(-reach, reach, 301)
    assert np.abs(curve(t, reach) - 1 / (1 + np.exp(-t))).max() < 2e-4


@pytest.mark.parametrize("players", [1, 2, 5, 8])
@pytest.mark.parametrize("size", [0.3, 3.0])
def test_its_shapley_values_are_those_of_enumeration(players, size):
    """Three additive games under the curve, against the textbook sum over all coalitions: equal to 1e-13.

    One player's worth makes a factor vanish at one half for some frequency; the rule has no node there.
    """
    rng = np.random.default_rng(players)
    start, worth = rng.normal(size=3), size * rng.normal(size=(3, players))
    worth[0, 0] = 0.0
    reach = 4.0 * np.ceil((np.abs(start) + np.abs(worth).sum(axis=1)).max() / 4)

    def value(coalition):
        return curve(start + worth[:, list(coalition)].sum(axis=1), reach)

    truth = np.zeros((3, players))
    for i in range(players):
        others = [j for j in range(players) if j != i]
        for count in range(players):
            for some in combinations(others, count):
                truth[:, i] += (value((*some, i)) - value(some)) / (players * comb(players - 1, count))
    assert curved(start, worth, reach) == pytest.approx(truth, abs=1e-13)


def test_differences_are_those_of_the_curve():
    """At middle plus and less a half, whatever the number of frequencies: equal to 1e-12."""
    rng = np.random.default_rng(0)
    middle, half = rng.normal(size=(4, 2)), 3 * rng.normal(size=(6, 4, 2))
    up, down = ((middle + sign * half).reshape(-1) for sign in (1, -1))
    expected = (curve(up, 24.0) - curve(down, 24.0)).reshape(half.shape)
    assert curved_differences(middle, half, 24.0) == pytest.approx(expected, abs=1e-12)


def test_a_log_odds_game_without_interactions_leaves_nothing():
    """Where the model is the curve's neighbour of an additive game, what is left to sample is within the curve's error,
    and nothing at all where log-odds are asked for."""
    rng = np.random.default_rng(1)
    start, worth = rng.normal(size=(3, 1)), rng.normal(size=(3, 4, 1))
    known = rng.random((10, 4)) < 0.5
    held_odds = start + np.einsum("cf,zfk->czk", known, worth)
    rest_odds = start + np.einsum("cf,zfk->czk", ~known, worth)
    places = np.arange(3)
    for probability, off in ((True, 2e-4), (False, 1e-12)):
        of = Bent(None, start, worth, worth, np.ones((3, 1, 1)), np.full((3, 1), 0.2), probability)
        link = (lambda t: 1 / (1 + np.exp(-t))) if probability else (lambda t: t)
        seen = np.stack([np.concatenate([link(o), o], axis=2) for o in (held_odds, rest_odds)])
        left = of.left(seen, places, lambda each: np.einsum("cf,zfk->czk", known, each))
        assert np.abs(left).max() < 2 * off
