from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.attribution.trees.evaluate import evaluate
from explainer.attribution.trees.path import attribute_path, prepare
from explainer.attribution.trees.plan import Limits
from tests.attribution.trees.forests import path_dependent, random_rows, random_trees


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    players=st.integers(1, 6),
    columns=st.integers(2, 8),
    depth=st.integers(0, 7),
    vector=st.booleans(),
    bits=st.integers(1, 8),
)
def test_random_forests_agree_with_enumeration_of_the_same_game(
    seed: int, players: int, columns: int, depth: int, vector: bool, bits: int
) -> None:
    """With players that own several columns, tables and integrated leaves give that game's values."""
    owner = np.random.default_rng(seed).integers(0, players, columns)
    owner[0] = players - 1
    trees = random_trees(seed, columns=columns, depth=depth, outputs=2, vector=vector)
    x = random_rows(seed, 2, columns)
    prepared = prepare(trees, owner, players, Limits(state_bits=bits, leaf_bits=bits))
    found = attribute_path(prepared, x)
    for i in range(2):
        assert np.allclose(found[i], path_dependent(trees, x[i], owner), rtol=0, atol=1e-11)
    assert np.allclose(prepared.tables.expected + found.sum(axis=1), evaluate(trees, x), rtol=0, atol=1e-11)


def test_deep_leaves_are_integrated_alike_in_any_company() -> None:
    """Rows beyond the tables keep their bits whether they come alone or together."""
    trees = random_trees(3, columns=10, depth=9, trees=3)
    x = random_rows(1, 30, 10)
    prepared = prepare(trees, np.arange(10), 10, Limits(state_bits=3, leaf_bits=3))
    assert len(prepared.leaves) > 0
    together = attribute_path(prepared, x)
    assert all(np.array_equal(attribute_path(prepared, x[i : i + 1])[0], together[i]) for i in range(0, 30, 7))
