from __future__ import annotations

import numpy as np

from explainer.attribution.trees.decide import goes_left
from explainer.attribution.trees.differences import between, decide_all, decisions, gather, shape
from explainer.attribution.trees.evaluate import evaluate
from explainer.attribution.trees.forest import as_compared, lay_out
from tests.attribution.trees.forests import random_rows, random_trees


def test_leaves_between_two_rows_give_every_mixture() -> None:
    """Summing the leaves whose sets a coalition meets is the margin of the mixed row, for all coalitions."""
    trees = random_trees(6, columns=6, depth=6, trees=4)
    forest = lay_out(trees, np.arange(6))
    laid, memory = shape(forest), between(forest, 6)
    x, z = random_rows(1, 1, 6), random_rows(2, 1, 6)
    decide_all(laid, as_compared(forest, x)[0], memory)
    assert gather(laid, decisions(laid, as_compared(forest, z))[0], memory) == 1
    leaves, players = memory.counts
    assert 0 < players <= 6
    for coalition in range(2**players):
        held = memory.player[:players][[bool((coalition >> i) & 1) for i in range(players)]]
        mixed = z.copy()
        mixed[:, held] = x[:, held]
        reached = [
            memory.leaf[i]
            for i in range(leaves)
            if memory.with_x[i] & ~coalition == 0 and memory.with_z[i] & coalition == 0
        ]
        assert len(reached) == len(trees.roots)
        assert np.allclose(forest.base + forest.value[reached].sum(axis=0), evaluate(trees, mixed)[0], atol=1e-12)


def test_decisions_are_taken_at_inner_nodes_only() -> None:
    """Leaves decide nothing; at every other node the bit says whether the row goes left there."""
    forest = lay_out(random_trees(6, columns=3, depth=4), np.arange(3))
    rows = as_compared(forest, random_rows(1, 9, 3))
    taken = np.unpackbits(decisions(shape(forest), rows), axis=1, bitorder="little")
    assert taken.shape == (9, -(-len(forest.right) // 8) * 8)
    assert not taken[:, len(forest.right) :].any()
    assert not taken[:, : len(forest.right)][:, forest.right < 0].any()
    for node in np.flatnonzero(forest.right >= 0):
        column = forest.tests.column[node]
        expected = [goes_left(forest.tests, node, value) for value in rows[:, column]]
        assert taken[:, node].tolist() == expected
