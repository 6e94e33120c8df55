"""One test of one node on one value: the rule that every kernel shares."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0124 (only NaN differs from itself)

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import boolean, float64, int64, uint32, uint64

from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.trees.jit import compiled, record_type
from explainer.records import FloatArray

ZERO = float(np.float32(1e-35))  # LightGBM: a value no farther from zero than this is zero

IndexArray = npt.NDArray[np.uint32]
INTS, INDEX, FLOATS, BOOLS = int64[::1], uint32[::1], float64[::1], boolean[::1]
MATRIX, INT_MATRIX, INDEX_MATRIX = float64[:, ::1], int64[:, ::1], uint32[:, ::1]


class Tests(NamedTuple):
    """Tests of nodes: kind 0 `x <= threshold`, 2 x is in the category set, 3 as 0 but zero counts as missing.

    Indices are unsigned throughout the kernels that every row goes through: numba then leaves out what it needs to
    let negative ones count from the end, and the kernels run four times faster.
    """

    column: IndexArray
    kind: IndexArray
    threshold: FloatArray
    missing_left: BoolArray
    set_start: IntArray
    set_size: IntArray
    words: IntArray  # the bits of all category sets


TESTS_TYPE = record_type(Tests, INDEX, INDEX, FLOATS, BOOLS, INTS, INTS, INTS)


@compiled(boolean(TESTS_TYPE, uint64, float64))
def goes_left(tests, j, x):
    """Whether value x passes test j."""
    if tests.kind[j] == 0:
        return (x <= tests.threshold[j]) | ((x != x) & tests.missing_left[j])
    if x != x:
        return tests.missing_left[j]
    if tests.kind[j] == 3:
        return tests.missing_left[j] if -ZERO <= x <= ZERO else x <= tests.threshold[j]
    if x < 0 or x >= 64 * tests.set_size[j]:
        return False
    code = np.int64(x)
    return (tests.words[tests.set_start[j] + (code >> 6)] >> (code & 63)) & 1 == 1
