from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.trees.attribute import attribute, prepare
from explainer.attribution.trees.plan import Limits
from tests.attribution.trees.forests import random_rows, random_trees, random_weights


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 5])
def test_walking_gives_what_tables_give(bits: int, vector: bool) -> None:
    """The same forest with all leaves in tables and with most of them walked to: equal to rounding."""
    trees = random_trees(7, columns=8, depth=10, outputs=2, trees=6, vector=vector)
    z, weights, x = random_rows(1, 130, 8), random_weights(1, 130), random_rows(2, 25, 8)
    tables = prepare(trees, np.arange(8), 8, z, weights)
    walked = prepare(trees, np.arange(8), 8, z, weights, Limits(state_bits=bits, leaf_bits=bits))
    assert tables.deep.leaves.sum() == 0 < walked.deep.leaves.sum()
    assert np.allclose(attribute(walked, x), attribute(tables, x), rtol=0, atol=1e-12)
