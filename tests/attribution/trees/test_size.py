from __future__ import annotations

import numpy as np

from explainer.attribution.trees.deep import MOST_PLAYERS
from explainer.attribution.trees.size import too_large
from explainer.formats.structure.one_tree import OneTree, together
from tests.attribution.trees.forests import random_trees


def chain(length: int) -> OneTree:
    """A tree that asks `length` different columns one after the other."""
    nodes = 2 * length + 1
    left = [2 * i + 1 for i in range(length)]
    inner = {2 * i: i for i in range(length)}
    return OneTree(
        [inner.get(n, 0) for n in range(nodes)], [0] * nodes, [0.0] * nodes,
        [left[inner[n]] if n in inner else -1 for n in range(nodes)],
        [n + 2 if n in inner else -1 for n in range(nodes)],
        [False] * nodes, np.ones((nodes, 1)), [1] * nodes,
    )  # fmt: skip


def test_ordinary_forests_are_not_too_large() -> None:
    """No reason is given for what can be prepared."""
    assert too_large(random_trees(1, columns=4, depth=5), np.arange(4), 100) == ""


def test_paths_with_too_many_players_are_refused() -> None:
    """A path of more different features than a word has bits is refused; the same columns of fewer players are not."""
    trees = together([chain(MOST_PLAYERS + 1)], [0.0], single=False)
    assert "63 different features" in too_large(trees, np.arange(MOST_PLAYERS + 1), 1)
    assert too_large(trees, np.arange(MOST_PLAYERS + 1) // 2, 1) == ""


def test_a_background_that_needs_too_much_memory_is_refused() -> None:
    """The sentence says what would do."""
    trees = random_trees(1, columns=4, depth=5)
    assert "smaller background" in too_large(trees, np.arange(4), 10**10)
