from __future__ import annotations

import numpy as np

from explainer.attribution.trees.forest import as_compared, lay_out, picked
from tests.attribution.trees.forests import random_rows, random_trees


def test_preorder_keeps_the_shape_of_every_tree() -> None:
    """The left child follows its parent, the right one its left sibling's subtree, and sizes count the nodes below."""
    forest = lay_out(random_trees(1, columns=5, depth=7, trees=4), np.arange(5))
    inner = np.flatnonzero(forest.right >= 0)
    assert np.array_equal(forest.parent[inner + 1], inner)
    assert np.array_equal(forest.parent[forest.right[inner]], inner)
    assert np.array_equal(forest.right[inner], inner + 1 + forest.size[inner + 1])
    assert np.array_equal(forest.size[forest.start[:-1]], np.diff(forest.start))


def test_slots_number_the_players_of_a_path_in_the_order_of_meeting() -> None:
    """A player keeps its slot along a path, however many of its columns are asked."""
    owner = np.array([0, 0, 1, 2, 2])
    forest = lay_out(random_trees(2, columns=5, depth=8), owner)
    for leaf in np.flatnonzero(forest.right < 0):
        path, node = [], leaf
        while forest.parent[node] >= 0:
            node = forest.parent[node]
            path.insert(0, node)
        order = list(dict.fromkeys(forest.owner[n] for n in path))
        assert [order.index(forest.owner[n]) for n in path] == [forest.slot[n] for n in path]
        assert forest.players[leaf] == len(order)


def test_columns_are_rounded_only_for_single_precision() -> None:
    """as_compared gives float64 that holds what the library compares; infinities stay, nothing warns."""
    trees = random_trees(3, columns=1, depth=1)
    single = lay_out(trees, np.zeros(1, np.int64))
    x = np.array([[0.1], [1e300], [np.nan]])
    seen = as_compared(single, x)
    wanted = np.array([[float(np.float32(0.1))], [np.inf], [np.nan]]) if single.single else x
    assert np.array_equal(seen, wanted, equal_nan=True)


def test_picked_tests_are_those_of_the_nodes() -> None:
    """Gathering keeps each node's test whole and the category bits shared."""
    forest = lay_out(random_trees(4, columns=4, depth=5), np.arange(4))
    nodes = np.array([2, 0])
    some = picked(forest.tests, nodes)
    assert np.array_equal(some.threshold, forest.tests.threshold[nodes])
    assert some.words is forest.tests.words
    assert random_rows(1, 2, 4).shape == (2, 4)
