from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.model import Trees
from explainer.attribution.trees.evaluate import evaluate, margins
from explainer.attribution.trees.forest import lay_out
from explainer.formats.structure.one_tree import OneTree, together
from tests.attribution.trees.forests import random_rows, random_trees


def stump(kind: int, threshold: float = 0.0, *, missing_left: bool, codes: tuple[int, ...] = (), single: bool) -> Trees:
    """Answers 1 for left and 0 for right."""
    tree = OneTree(
        [0, 0, 0], [kind, 0, 0], [threshold, 0, 0], [1, -1, -1], [2, -1, -1], [missing_left, False, False],
        np.array([[0.0], [1.0], [0.0]]), [2, 1, 1], {0: list(codes)} if kind == 2 else {},
    )  # fmt: skip
    return together([tree], [0.0], single=single)


CASES = [
    (0, 0.5, (), [(0.5, 1), (np.nextafter(0.5, 1), 0), (-np.inf, 1), (np.inf, 0)]),
    (1, 0.5, (), [(0.5, 0), (np.nextafter(0.5, 0), 1), (0.6, 0)]),
    (2, 0.0, (0, 3, 64, 130), [(0, 1), (1, 0), (3, 1), (64, 1), (63, 0), (130, 1), (131, 0), (500, 0), (-1, 0)]),
    (2, 0.0, (0, 3), [(1e300, 0), (-np.inf, 0), (np.inf, 0)]),
    (3, -0.5, (), [(-0.6, 1), (-0.4, 0), (1.0, 0)]),
]  # fmt: skip


@pytest.mark.parametrize("missing_left", [True, False])
@pytest.mark.parametrize(("kind", "threshold", "codes", "expected"), CASES)
def test_each_kind_of_test_follows_its_rule(
    kind: int, threshold: float, codes: tuple[int, ...], expected: list[tuple[float, int]], missing_left: bool
) -> None:
    """At thresholds, in and beyond category sets, for NaN and for zeros that count as missing: both implementations."""
    trees = stump(kind, threshold, missing_left=missing_left, codes=codes, single=False)
    cases = [*expected, (np.nan, int(missing_left))]
    if kind == 3:
        cases += [(0.0, int(missing_left)), (-0.0, int(missing_left)), (1e-36, int(missing_left)), (1e-34, 0)]
    x = np.array([[value] for value, _ in cases])
    truth = np.array([[float(side)] for _, side in cases])
    assert np.array_equal(evaluate(trees, x), truth)
    assert np.array_equal(margins(lay_out(trees, np.zeros(1, np.int64)), x), truth)


def test_single_precision_is_compared_after_rounding() -> None:
    """A value just above a float32 threshold rounds down to it and goes left, as the libraries in float32 do."""
    threshold = float(np.float32(0.1))
    x = np.array([[np.nextafter(threshold, 1)], [1e300]])
    assert evaluate(stump(0, threshold, missing_left=False, single=True), x).tolist() == [[1.0], [0.0]]
    assert evaluate(stump(0, threshold, missing_left=False, single=False), x).tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("seed", range(6))
def test_compiled_margins_equal_the_reference(seed: int) -> None:
    """The kernel and numpy agree to the bit on random forests: both add tree by tree."""
    trees = random_trees(seed, columns=6, depth=8, outputs=3, trees=7, vector=seed % 2 == 0)
    x = random_rows(seed, 200, 6)
    assert np.array_equal(margins(lay_out(trees, np.arange(6)), x), evaluate(trees, x))
