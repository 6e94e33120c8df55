"""What `classes` promises: every size is there, small classes whole, and no more pairs than were given."""

from math import comb

import numpy as np
import pytest

from explainer.attribution.sampled.classes import classes


@pytest.mark.parametrize("players", [2, 3, 4, 5, 9, 10, 30, 61])
@pytest.mark.parametrize("rounds", [2, 3, 7, 40])
def test_pairs_are_divided_among_all_sizes(players, rounds):
    """Each size up to the half gets a pair, and together they are as many as were given, or all that exist."""
    pairs = rounds * (players - 1)
    of = classes(players, pairs)
    assert of.size.tolist() == list(range(1, players // 2 + 1))
    assert of.pairs.min() >= 1
    every = 2 ** (players - 1) - 1
    assert of.pairs.sum() == (every if of.whole.all() else pairs)
    assert of.sizes.sum() == players - 1


def test_a_class_is_taken_whole_once_its_share_reaches_its_number():
    """Of ten players the ten singles fit into 90 pairs; with as many pairs as exist every class is whole."""
    some, all_of_them = classes(10, 90), classes(10, 511)
    assert some.whole.tolist() == [True, False, False, False, False]
    assert some.pairs[0] == 10
    assert all_of_them.whole.all()
    assert all_of_them.pairs.tolist() == [10, 45, 120, 210, comb(10, 5) // 2]


def test_the_weights_give_an_additive_game_its_values():
    """With all coalitions, the weighted mean of x times D, D = 2 c.x, gives each player c_i less the mean of c."""
    of = classes(6, 31)
    assert of.whole.all()
    spread = of.size * (6 - of.size) / 6  # the sum of x squared, spread over five directions
    assert (of.weight * 2 * spread / 5).sum() == pytest.approx(1.0)
    assert np.all(of.weight > 0)
