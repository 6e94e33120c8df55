from __future__ import annotations

import math

import numpy as np

from explainer.attribution.trees import decide
from explainer.attribution.trees.decide import ZERO, goes_left


def one(kind: int, *, missing_left: bool) -> decide.Tests:
    index, words = np.array([0], np.uint32), np.array([0b1001], np.int64)
    place = (np.array([0]), np.array([1]))
    return decide.Tests(index, np.array([kind], np.uint32), np.array([0.5]), np.array([missing_left]), *place, words)


def test_numbers_sets_and_zeros_take_their_side() -> None:
    """Kind 0 compares, kind 2 looks the category up, kind 3 takes zero for missing; NaN goes where it is told."""
    for missing_left in (False, True):
        assert goes_left(one(0, missing_left=missing_left), 0, 0.5)
        assert not goes_left(one(0, missing_left=missing_left), 0, 0.6)
        assert [goes_left(one(2, missing_left=missing_left), 0, float(c)) for c in range(5)] == [1, 0, 0, 1, 0]
        assert goes_left(one(3, missing_left=missing_left), 0, ZERO) == missing_left
        assert goes_left(one(3, missing_left=missing_left), 0, 2 * ZERO)
        for kind in (0, 2, 3):
            assert goes_left(one(kind, missing_left=missing_left), 0, math.nan) == missing_left


def test_zero_is_what_lightgbm_takes_for_zero() -> None:
    """Its bound is the single precision number nearest to 1e-35, which is a little larger."""
    assert float(np.float32(1e-35)) == ZERO > 1e-35
