from __future__ import annotations

import numpy as np

from explainer.attribution.trees.forest import as_compared, lay_out
from explainer.attribution.trees.plan import Limits, cut
from explainer.attribution.trees.program import cells, pack
from explainer.attribution.trees.states import BLOCK, block_rows, histogram
from tests.attribution.trees.forests import random_rows, random_trees, random_weights


def test_every_background_row_is_in_one_state_of_each_group() -> None:
    """The weight in a group's states is the background's whole weight, however many rows share a block."""
    forest = lay_out(random_trees(1, columns=8, depth=7, trees=3), np.arange(8))
    plan = cut(forest, 64, Limits(state_bits=4, leaf_bits=4))
    weights = random_weights(1, 600)
    mass = histogram(pack(forest, plan), as_compared(forest, random_rows(1, 600, 8)), weights)
    totals = np.add.reduceat(mass, plan.state_start[:-1])
    assert np.allclose(totals, 1.0, rtol=0, atol=1e-12)


def test_blocks_shrink_where_trees_are_large() -> None:
    """A block's cells keep to their bound; ordinary trees take full blocks."""
    forest = lay_out(random_trees(1, columns=8, depth=7), np.arange(8))
    program = pack(forest, cut(forest, 64))
    assert block_rows(program) == BLOCK
    assert cells(program) <= np.diff(forest.start).max()
    huge = program._replace(groups=program.groups._replace(cell=np.array([2_000_000], np.uint32)))
    assert block_rows(huge) == 1
