"""What `hybrids` promises: the margins of mixed rows to the bit, for any number of coalitions at once."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.trees.evaluate import margins
from explainer.attribution.trees.forest import lay_out
from explainer.attribution.trees.hybrids import PLACES, hybrids, mixed
from tests.attribution.trees.forests import random_rows, random_trees

OWNER = np.array([0, 1, 2, 3, 3, 3])


@pytest.mark.parametrize("coalitions", [1, 64, 65, 200])
@pytest.mark.parametrize("outputs", [1, 3])
def test_margins_are_those_of_the_rows_written_out(coalitions: int, outputs: int) -> None:
    """Categories, missing values and columns that share a feature: each mixed row's margin as the plain walk has it."""
    forest = lay_out(random_trees(coalitions, columns=6, depth=5, outputs=outputs, trees=7), OWNER)
    against, x = random_rows(1, 30, 6), random_rows(2, 1, 6)[0]
    rng = np.random.default_rng(coalitions)
    places = np.array([3, 3, 17, 0])
    roles = np.stack([rng.permutation(4) for _ in places])
    known = rng.random((coalitions, 4)) < 0.5
    got = mixed(hybrids(forest, against), x, places, roles, known)
    held = known[:, roles][:, :, OWNER]
    written = np.where(held, x, against[places]).reshape(-1, 6)
    assert np.array_equal(got.reshape(-1, outputs), margins(forest, written))


def test_every_bit_of_a_word_has_its_place() -> None:
    """The table that finds a word's lowest bit names each of the 64 once."""
    assert sorted(PLACES.tolist()) == list(range(64))
