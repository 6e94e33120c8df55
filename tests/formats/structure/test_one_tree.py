from __future__ import annotations

import numpy as np

from explainer.formats.structure.one_tree import IN_SET, OneTree, together


def tree(codes: list[int], value: float) -> OneTree:
    sides = np.array([[9.0], [value], [-value]])
    kinds, missing = [IN_SET, 0, 0], [True, False, False]
    return OneTree([1, 0, 0], kinds, [0.0] * 3, [1, -1, -1], [2, -1, -1], missing, sides, [2, 1, 1], {0: codes})


def test_trees_are_numbered_one_after_the_other() -> None:
    """Roots and children are absolute, leaves keep -1, and values at inner nodes are dropped."""
    trees = together([tree([0], 1.0), tree([1], 2.0)], 0.5, single=False)
    assert trees.roots.tolist() == [0, 3]
    assert trees.left.tolist() == [1, -1, -1, 4, -1, -1]
    assert trees.right.tolist() == [2, -1, -1, 5, -1, -1]
    assert trees.value[:, 0].tolist() == [0.0, 1.0, -1.0, 0.0, 2.0, -2.0]
    assert trees.base.tolist() == [0.5]


def test_category_sets_become_words_of_64_bits() -> None:
    """Each node has as many words as its largest category needs, one after the other; an empty set has none."""
    trees = together([tree([0, 65], 1.0), tree([], 1.0), tree([63], 1.0)], 0.0, single=False)
    assert trees.set_size[trees.roots].tolist() == [2, 0, 1]
    assert trees.set_start[trees.roots].tolist() == [0, 2, 2]
    assert trees.set_words.tolist() == [1, 2, 1 << 63]
