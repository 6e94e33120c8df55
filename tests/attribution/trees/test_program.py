from __future__ import annotations

import numpy as np

from explainer.attribution.trees.forest import lay_out
from explainer.attribution.trees.plan import Limits, cut
from explainer.attribution.trees.program import pack
from tests.attribution.trees.forests import random_trees


def test_every_answer_goes_to_a_cell_that_is_read_later() -> None:
    """Within a tree, each top's children have cells of their own, and every group reads one of them or the root."""
    forest = lay_out(random_trees(3, columns=7, depth=7, trees=3), np.arange(7))
    program = pack(forest, cut(forest, 64, Limits(state_bits=3, leaf_bits=3)))
    tops, groups = program.tops, program.groups
    for t in range(3):
        some = slice(tops.start[t], tops.start[t + 1])
        written = [*tops.left[some], *tops.right[some]]
        assert len(written) == len(set(written))
        read = [*tops.cell[some], *groups.cell[groups.start[t] : groups.start[t + 1]]]
        assert set(map(int, read)) <= {0, *map(int, written)}
