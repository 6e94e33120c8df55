"""What `enumeration` promises: the textbook's Shapley values, for any game."""

from fractions import Fraction
from itertools import permutations
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.attribution.enumeration import coalition_weights, cost, enumerated, shapley
from explainer.attribution.game import BLOCK, in_space
from explainer.attribution.maskers import background
from tests.attribution.fakes import bent, brute_force, classifier, mixed_rows, regression


def by_orders(values: list[int], m: int) -> list[Fraction]:
    """Shapley values as the mean gain over all m! orders, in exact fractions."""
    phi = [Fraction(0)] * m
    for order in permutations(range(m)):
        coalition = 0
        for j in order:
            phi[j] += Fraction(values[coalition | 1 << j] - values[coalition], factorial(m))
            coalition |= 1 << j
    return phi


@given(st.integers(1, 5).flatmap(lambda m: st.lists(st.integers(-1000, 1000), min_size=2**m, max_size=2**m)))
@settings(max_examples=60, deadline=None)
def test_any_game_has_the_values_of_the_mean_over_all_orders(values):
    """For arbitrary games of up to five players the values equal exact fractions over every order."""
    m = len(values).bit_length() - 1
    got = shapley(np.array(values, dtype=float).reshape(1, -1, 1))[0, :, 0]
    assert got == pytest.approx([float(phi) for phi in by_orders(values, m)], rel=1e-12, abs=1e-9)


@given(st.lists(st.integers(-1000, 1000), min_size=16, max_size=16), st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_a_dummy_player_gets_exactly_nothing(values, place):
    """A player who changes no coalition's value gets 0.0, not a rounding error."""
    low = np.arange(32) & ((1 << place) - 1)
    high = (np.arange(32) >> (place + 1)) << place
    game = np.array(values, dtype=float)[low | high]
    assert shapley(game.reshape(1, -1, 1))[0, place, 0] == 0.0


def test_symmetric_players_get_the_same():
    """In a game of coalition size alone everybody gets an equal share, and all of it is handed out."""
    size = np.bitwise_count(np.arange(1 << 10)).astype(float)
    phi = shapley((size**3).reshape(1, -1, 1))[0, :, 0]
    assert phi == pytest.approx(np.full(10, 100.0), rel=1e-12)


def test_weights_are_right_up_to_twenty_players():
    """|S|!(m-|S|-1)!/m! summed over the coalitions of the others is one, without overflow, at m = 20."""
    weights = coalition_weights(20)
    assert weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert weights[0] == pytest.approx(1 / 20)
    assert weights[0b111] == pytest.approx(1 / (20 * comb(19, 3)))


@pytest.mark.parametrize("row", range(4))
def test_values_over_a_background_equal_brute_force_over_all_features(row):
    """Leaving out features that do not differ, and weighting repeated rows, changes nothing; missing values count."""
    rows = np.concatenate([mixed_rows(6, 3), mixed_rows(3, 3)])
    x = mixed_rows(4, 4)[row]
    game = in_space(classifier(bent), "probability", (0, 1))
    truth = brute_force(game, x, rows, np.full(9, 1 / 9))
    assert enumerated(game, x, background(rows, "")) == pytest.approx(truth, rel=1e-10, abs=1e-14)


def test_more_coalitions_than_one_call_holds_are_put_together_rightly():
    """Fourteen features need two calls a baseline; an additive function gives each feature its own difference."""
    rng = np.random.default_rng(0)
    x, rows = rng.normal(size=14), rng.normal(size=(2, 14))
    game = in_space(regression(lambda z: z @ np.arange(14.0)), "raw", (0,))
    assert cost(x, background(rows, "")) == 2**15 > BLOCK
    got = enumerated(game, x, background(rows, ""))[:, 0]
    assert got == pytest.approx(np.arange(14.0) * (x - rows.mean(axis=0)), rel=1e-9, abs=1e-12)


def test_a_row_equal_to_the_background_has_no_reasons():
    """Against a background that is the row itself every attribution is exactly zero, at the cost of one row."""
    x = mixed_rows(1, 0)[0]
    game = in_space(classifier(bent), "raw", (1,))
    assert not enumerated(game, x, background(x[None], "")).any()
    assert cost(x, background(x[None], "")) == 1
