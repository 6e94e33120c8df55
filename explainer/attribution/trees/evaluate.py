"""The margin of a tree ensemble: a reference in numpy, level by level, and a compiled walk from root to leaf."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import float32, uint64, void

from explainer.attribution.model import BoolArray, IntArray, Trees
from explainer.attribution.trees.decide import INTS, MATRIX, TESTS_TYPE, ZERO, goes_left
from explainer.attribution.trees.forest import Forest, as_compared
from explainer.attribution.trees.jit import compiled
from explainer.records import FloatArray


def evaluate(trees: Trees, columns: FloatArray) -> FloatArray:
    """Margins (rows, outputs) of columns (rows, columns), in numpy alone."""
    out = np.tile(trees.base, (len(columns), 1))
    with np.errstate(over="ignore"):
        x = columns.astype(np.float32).astype(np.float64) if trees.single else columns
    rows = np.arange(len(columns))
    for root in trees.roots:
        node = np.full(len(columns), root)
        while (inner := trees.left[node] >= 0).any():
            n = node[inner]
            left = _left(trees, n, x[rows[inner], trees.column[n]])
            node[inner] = np.where(left, trees.left[n], trees.right[n])
        out += trees.value[node]
    return out


def _left(trees: Trees, node: IntArray, x: FloatArray) -> BoolArray:
    kind, threshold = trees.kind[node], trees.threshold[node]
    missing = np.isnan(x) | ((kind == 3) & (np.abs(x) <= ZERO))
    holds = np.where(kind == 1, x < threshold, x <= threshold)
    code = np.where(np.isnan(x) | (x < 0) | (x >= 64 * trees.set_size[node]), -1, x).astype(np.int64)
    if len(trees.set_words):
        word = trees.set_words[np.where(code >= 0, trees.set_start[node] + (code >> 6), 0)]
        member = (code >= 0) & ((word >> (code & 63).astype(np.uint64)) & np.uint64(1)).astype(bool)
        holds = np.where(kind == 2, member, holds)
    return np.asarray(np.where(missing, trees.missing_left[node], holds), dtype=bool)


def margins(forest: Forest, columns: FloatArray) -> FloatArray:
    """Margins (rows, outputs), compiled; each row's sum runs over the trees in their order, whatever else is asked."""
    out = np.tile(forest.base, (len(columns), 1))
    _walk(forest.start.astype(np.uint64), forest.right, forest.value, forest.tests, as_compared(forest, columns), out)
    return out


def single_margins(forest: Forest, columns: FloatArray) -> FloatArray:
    """Margins (rows, outputs) summed up in single precision from the base on, as XGBoost does it."""
    out = np.tile(forest.base.astype(np.float32), (len(columns), 1))
    value = forest.value.astype(np.float32)
    _walk_single(forest.start.astype(np.uint64), forest.right, value, forest.tests, as_compared(forest, columns), out)
    return out.astype(np.float64)


@compiled(void(uint64[::1], INTS, float32[:, ::1], TESTS_TYPE, MATRIX, float32[:, ::1]))
def _walk_single(start, right, value, tests, x, out):
    one = np.uint64(1)
    for r in range(x.shape[0]):
        for t in range(start.shape[0] - 1):
            n = start[t]
            while right[n] >= 0:
                n = n + one if goes_left(tests, n, x[r, tests.column[n]]) else np.uint64(right[n])
            for o in range(value.shape[1]):
                out[r, o] += value[n, o]


@compiled(void(uint64[::1], INTS, MATRIX, TESTS_TYPE, MATRIX, MATRIX))
def _walk(start, right, value, tests, x, out):
    one = np.uint64(1)
    for r in range(x.shape[0]):
        for t in range(start.shape[0] - 1):
            n = start[t]
            while right[n] >= 0:
                n = n + one if goes_left(tests, n, x[r, tests.column[n]]) else np.uint64(right[n])
            for o in range(value.shape[1]):
                out[r, o] += value[n, o]
