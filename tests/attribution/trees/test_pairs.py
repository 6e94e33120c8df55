"""Interactions of forests are those of the definition, over raw features, in margins and in links of them."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.trees import attribute, coalitions
from explainer.attribution.trees.links import SOFTMAX_PROBABILITY, linked
from explainer.attribution.trees.pairs import indices, linked_values, rivals
from tests.attribution.interactions import truth
from tests.attribution.trees.forests import margin, random_rows, random_trees, random_weights

OWNER = np.array([0, 1, 2, 2, 3, 4])  # columns 2 and 3 are made from one feature


@pytest.mark.parametrize("seed", range(10))
def test_indices_are_those_of_enumeration(seed: int) -> None:
    """Every kind of test, missing values, several outputs, columns that share a player: equal to the definition."""
    trees = random_trees(seed, columns=6, depth=5, outputs=1 + seed % 3, trees=3, vector=bool(seed % 2))
    z, w, x = random_rows(seed + 1, 9, 6), random_weights(seed, 9), random_rows(seed + 50, 1, 6)[0]
    found, phi = indices(rivals(trees, OWNER, 5, z, w), x)

    def value(coalition: int) -> np.ndarray:
        held = np.array([(coalition >> o) & 1 for o in OWNER], dtype=bool)
        return np.asarray(w @ margin(trees)(np.where(held, x, z)))

    assert np.allclose(found, truth.index(value, 5), rtol=0, atol=1e-12)
    assert np.array_equal(found, found.transpose(1, 0, 2))
    assert not found[np.arange(5), np.arange(5)].any()
    assert np.allclose(phi, attribute.attribute(attribute.prepare(trees, OWNER, 5, z, w), x[None])[0], atol=1e-12)


def test_deep_trees_have_no_limit_of_their_own() -> None:
    """Thirty players on a path: rows of the matrix sum to the values that the tables give."""
    trees = random_trees(3, columns=40, depth=14, trees=4)
    z, w, x = random_rows(1, 40, 40), random_weights(2, 40), random_rows(9, 1, 40)[0]
    owner = np.arange(40)
    ready = rivals(trees, owner, 40, z, w)
    found, phi = indices(ready, x)
    assert np.allclose(phi, attribute.attribute(attribute.prepare(trees, owner, 40, z, w), x[None])[0], atol=1e-12)
    assert np.allclose(ready.expected + phi.sum(axis=0), margin(trees)(x[None])[0], rtol=0, atol=1e-12)
    assert np.abs(found).max() > 0.01


def test_trees_of_one_test_do_not_interact() -> None:
    """A sum of stumps is additive: no pair has an index."""
    trees = random_trees(5, columns=6, depth=1, trees=30)
    found, phi = indices(rivals(trees, OWNER, 5, random_rows(1, 20, 6), random_weights(1, 20)), random_rows(2, 1, 6)[0])
    assert not found.any()
    assert phi.any()


@pytest.mark.parametrize("seed", range(4))
def test_values_of_a_link_are_the_models_own(seed: int) -> None:
    """Every coalition of the players that decide has the linked margin of the mixed row; the others change nothing."""
    trees = random_trees(seed, columns=6, depth=4, outputs=3, trees=5)
    z, w, x = random_rows(seed + 1, 6, 6), random_weights(seed, 6), random_rows(seed + 50, 1, 6)[0]
    game = coalitions.contest(trees, OWNER, 5, z, w)
    classes = np.array([2, 0])
    total = 0.0
    for background, (weight, players, values) in zip(
        game.background, linked_values(game, x, SOFTMAX_PROBABILITY, classes), strict=True
    ):
        total += weight
        for coalition in range(2 ** len(players)):
            held = np.isin(OWNER, players[[bool((coalition >> j) & 1) for j in range(len(players))]])
            mixed = np.where(held, x, background)
            assert np.allclose(values[coalition], linked(margin(trees)(mixed[None]), SOFTMAX_PROBABILITY, classes)[0])
    assert total == pytest.approx(1.0)


def test_too_many_players_are_refused() -> None:
    """A row that differs in more than 20 players that decide cannot be enumerated, and says so."""
    trees = random_trees(3, columns=40, depth=9, trees=30)
    game = coalitions.contest(trees, np.arange(40), 40, random_rows(1, 3, 40), random_weights(2, 3))
    with pytest.raises(ValueError, match="too many features"):
        list(linked_values(game, random_rows(9, 1, 40)[0], SOFTMAX_PROBABILITY, np.array([0])))
