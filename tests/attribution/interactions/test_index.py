"""The index of a game given by all its values is the textbook sum, and has the axioms that define it."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.interactions import index
from explainer.attribution.interactions.index import indices, spread
from tests.attribution.interactions import truth


def random_game(seed: int, players: int, outputs: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(2**players, outputs))


@pytest.mark.parametrize("players", [0, 1, 2, 3, 5, 7])
def test_indices_are_the_textbook_sum(players: int) -> None:
    """Against the definition of Grabisch and Roubens, coalition by coalition."""
    values = random_game(players, players)
    found, phi = indices(values)
    assert np.allclose(found, truth.index(lambda s: values[s], players), rtol=0, atol=1e-12)
    assert np.allclose(phi.sum(axis=0), values[-1] - values[0], rtol=0, atol=1e-12)
    assert np.array_equal(found, found.transpose(1, 0, 2))


def test_many_coalitions_are_taken_in_chunks() -> None:
    """A game with more coalitions than a chunk has the index of its two parts, which do not interact."""
    assert 2 * index.CHUNK < 2**16
    left, right = random_game(1, 8, 1), random_game(2, 8, 1)
    number = np.arange(2**16)
    found, _ = indices(left[number & 255] + right[number >> 8])
    assert np.allclose(found[:8, :8], indices(left)[0], rtol=0, atol=1e-10)
    assert np.allclose(found[8:, 8:], indices(right)[0], rtol=0, atol=1e-10)
    assert np.allclose(found[:8, 8:], 0.0, rtol=0, atol=1e-10)


def test_a_product_of_two_interacts_by_its_whole_worth() -> None:
    """v = 3 where both are in: the pair's index is 3, a third player's with either is 0."""
    values = np.array([3.0 * ((c & 3) == 3) + 5.0 * (c >> 2) for c in range(8)])[:, None]
    found, phi = indices(values)
    assert np.allclose(found[:, :, 0], [[0, 3, 0], [3, 0, 0], [0, 0, 0]], rtol=0, atol=1e-12)
    assert np.allclose(phi[:, 0], [1.5, 1.5, 5.0], rtol=0, atol=1e-12)


def test_a_large_constant_costs_no_digits() -> None:
    """A game far from zero has the index of the same game at zero."""
    values = random_game(3, 6)
    assert np.allclose(indices(values + 1e6)[0], indices(values)[0], rtol=0, atol=1e-8)


def test_players_take_their_places_among_the_features() -> None:
    """Indices of some features stand in their rows and columns; all others are zero."""
    found, phi = indices(random_game(4, 2))
    wide, tall = spread(found, phi, np.array([3, 1]), 4)
    assert np.array_equal(wide[3, 1], found[0, 1])
    assert np.array_equal(tall[[3, 1]], phi)
    assert not wide[0].any()
    assert not tall[[0, 2]].any()
