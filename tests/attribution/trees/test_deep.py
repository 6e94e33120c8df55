from __future__ import annotations

import numpy as np

from explainer.attribution.trees.deep import deep_leaves
from explainer.attribution.trees.forest import as_compared, lay_out
from explainer.attribution.trees.plan import Limits, cut
from tests.attribution.trees.forests import random_rows, random_trees, random_weights


def test_bits_say_which_background_rows_take_a_branch() -> None:
    """Of two children, each background row takes exactly one; trees without deep leaves have no bits."""
    forest = lay_out(random_trees(4, columns=9, depth=8), np.arange(9))
    z, weights = as_compared(forest, random_rows(1, 70, 9)), random_weights(1, 70)
    deep = deep_leaves(forest, cut(forest, 64, Limits(state_bits=2, leaf_bits=2)), z, weights)
    both = [n for n in np.flatnonzero(deep.role == 0) if deep.row[n + 1] >= 0 and deep.row[deep.right[n]] >= 0]
    assert both
    for n in both:
        left, right = deep.bits[deep.row[n + 1]], deep.bits[deep.row[deep.right[n]]]
        assert not (left & right).any()
        assert (left | right).tolist() == [2**64 - 1, 2**6 - 1]
    assert len(deep_leaves(forest, cut(forest, 64), z, weights).bits) == 0
