# ruff: noqa: PLR0917

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.attribution.trees.attribute import FEW, attribute, predict, prepare
from explainer.attribution.trees.evaluate import evaluate
from explainer.attribution.trees.plan import Limits
from tests.attribution.trees.forests import interventional, margin, random_rows, random_trees, random_weights


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    players=st.integers(1, 7),
    columns=st.integers(2, 10),
    depth=st.integers(0, 8),
    outputs=st.integers(1, 3),
    vector=st.booleans(),
    rows=st.sampled_from([1, 3, 70]),
    bits=st.integers(1, 8),
)
def test_random_forests_agree_with_enumeration_over_players(
    seed: int, players: int, columns: int, depth: int, outputs: int, vector: bool, rows: int, bits: int
) -> None:
    """Tables and walks give Shapley's values of the players, whatever tests, missing values, weights and cuts."""
    owner = np.random.default_rng(seed).integers(0, players, columns)
    owner[0] = players - 1
    trees = random_trees(seed, columns=columns, depth=depth, outputs=outputs, vector=vector)
    z, weights, x = random_rows(seed + 1, rows, columns), random_weights(seed, rows), random_rows(seed + 2, 2, columns)
    prepared = prepare(trees, owner, players, z, weights, Limits(state_bits=bits, leaf_bits=bits + seed % 4))
    found = attribute(prepared, x)
    for i in range(2):
        assert np.allclose(found[i], interventional(margin(trees), x[i], z, weights, owner), rtol=0, atol=1e-11)


@pytest.mark.parametrize("leaf_bits", [8, 9, 10])
def test_leaves_of_many_players_agree_with_enumeration(leaf_bits: int) -> None:
    """A leaf with 9 or 10 players is right as a table in two halves and as a leaf that is walked to."""
    trees = random_trees(5, columns=12, depth=14, trees=1)
    owner = np.arange(12) % 10
    z, weights, x = random_rows(1, 4, 12), random_weights(1, 4), random_rows(2, 1, 12)
    prepared = prepare(trees, owner, 10, z, weights, Limits(leaf_bits=leaf_bits))
    assert prepared.forest.players.max() > 8
    assert (prepared.deep.leaves.sum() > 0) == (leaf_bits < prepared.forest.players.max())
    truth = interventional(margin(trees), x[0], z, weights, owner)
    assert np.allclose(attribute(prepared, x)[0], truth, rtol=0, atol=1e-11)


@pytest.mark.parametrize("leaf_bits", [3, 8])
def test_a_rows_bits_do_not_depend_on_its_company(leaf_bits: int) -> None:
    """One row, a few and hundreds at once: the same bits, in whichever of the two kernels they go."""
    trees = random_trees(3, columns=8, depth=7, outputs=2, trees=5, vector=True)
    z, weights, x = random_rows(1, 100, 8), random_weights(1, 100), random_rows(2, 300, 8)
    prepared = prepare(trees, np.arange(8), 8, z, weights, Limits(state_bits=leaf_bits, leaf_bits=leaf_bits))
    together = attribute(prepared, x)
    assert len(x) > FEW
    for i in range(0, 300, 37):
        assert np.array_equal(attribute(prepared, x[i : i + 1])[0], together[i])
    assert np.array_equal(attribute(prepared, x[:3]), together[:3])


def test_values_and_expected_add_up_to_the_prediction() -> None:
    """expected + sum of values = margin to 1e-12, and predict is the margin."""
    trees = random_trees(9, columns=9, depth=9, outputs=3, trees=20)
    z, weights, x = random_rows(1, 50, 9), random_weights(1, 50), random_rows(2, 40, 9)
    prepared = prepare(trees, np.arange(9), 9, z, weights)
    assert np.allclose(predict(prepared, x), evaluate(trees, x), rtol=0, atol=1e-12)
    total = prepared.expected + attribute(prepared, x).sum(axis=1)
    assert np.allclose(total, evaluate(trees, x), rtol=0, atol=1e-12)


def test_a_tree_without_tests_gives_nothing_to_anybody() -> None:
    """A constant model: all values 0, the expected value is its constant."""
    trees = random_trees(1, columns=2, depth=0)
    prepared = prepare(trees, np.arange(2), 2, random_rows(1, 3, 2), random_weights(1, 3))
    assert not attribute(prepared, random_rows(2, 2, 2)).any()
    assert np.allclose(prepared.expected, trees.base + trees.value.sum(axis=0))


def test_players_without_columns_get_nothing() -> None:
    """A feature that the model never reads is a player all the same, and its value is 0."""
    trees = random_trees(2, columns=3, depth=4)
    prepared = prepare(trees, np.array([0, 2, 2]), 5, random_rows(1, 9, 3), random_weights(1, 9))
    values = attribute(prepared, random_rows(2, 2, 3))
    assert values.shape == (2, 5, 1)
    assert not values[:, [1, 3, 4]].any()
    assert values[:, [0, 2]].any()
