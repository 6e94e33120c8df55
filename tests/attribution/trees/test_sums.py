from __future__ import annotations

import numpy as np

from explainer.attribution.trees.forest import lay_out
from explainer.attribution.trees.plan import cut
from explainer.attribution.trees.sums import targets, tree_outputs
from tests.attribution.trees.forests import random_trees


def test_trees_of_one_output_each_are_recognised() -> None:
    """Boosted classes have one output a tree, forests all of them; a tree of zeros adds to any."""
    single = lay_out(random_trees(1, columns=4, depth=3, outputs=3, trees=6), np.arange(4))
    output, width = tree_outputs(single)
    assert width == 1
    for tree, first in enumerate(output):
        values = single.value[single.start[tree] : single.start[tree + 1]]
        assert not np.delete(values, first, axis=1).any()
    vector = lay_out(random_trees(1, columns=4, depth=3, outputs=3, vector=True), np.arange(4))
    assert tree_outputs(vector)[1] == 3


def test_places_that_a_group_leaves_empty_belong_to_nobody() -> None:
    """Members point at their player's outputs in a row's flat values, the rest at the extra player."""
    forest = lay_out(random_trees(2, columns=4, depth=3, outputs=2, trees=4), np.arange(4))
    plan = cut(forest, 64)
    output, _ = tree_outputs(forest)
    place = targets(forest, plan, output, 4)
    owner = np.where(plan.member < 0, 4, plan.member)
    assert np.array_equal(place // 2, owner)
    assert place.max() < 2 * 5
