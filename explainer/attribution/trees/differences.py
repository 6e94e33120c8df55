"""Where a row and a background row part in a forest: the leaves between them, and the players that decide."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import int64, uint8, void

from explainer.attribution.model import IntArray
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX, TESTS_TYPE, Tests, goes_left
from explainer.attribution.trees.forest import Forest
from explainer.attribution.trees.jit import compiled, record_type
from explainer.records import FloatArray

BYTES = uint8[:, ::1]
MOST = 20  # players in which a row and one background row may differ


class Shape(NamedTuple):
    """A forest as the search walks it."""

    start: IntArray
    right: IntArray
    owner: IntArray
    tests: Tests


SHAPE_TYPE = record_type(Shape, INTS, INTS, INTS, TESTS_TYPE)


class Between(NamedTuple):
    """What lies between two rows, in memory that is used again.

    `leaf[i]` is reached by the coalitions that hold all players in `with_x[i]` and none in `with_z[i]`, both sets of
    local numbers; `number[p]` is player p's local number or -1, `player` the other way round.
    """

    leaf: IntArray
    with_x: IntArray
    with_z: IntArray
    number: IntArray
    player: IntArray
    stack: IntArray
    stack_x: IntArray
    stack_z: IntArray
    left: IntArray  # what row x decides at each node
    counts: IntArray  # (2,): leaves, players


BETWEEN_TYPE = record_type(Between, *[INTS] * 10)


def shape(forest: Forest) -> Shape:
    return Shape(forest.start, forest.right, forest.owner, forest.tests)


def between(forest: Forest, players: int) -> Between:
    """Memory for a forest of this size."""
    nodes = len(forest.right)
    sizes = (nodes, nodes, nodes, players, MOST, nodes, nodes, nodes, nodes, 2)
    return Between(*(np.zeros(size, np.int64) for size in sizes))


@compiled(void(SHAPE_TYPE, FLOATS, BETWEEN_TYPE))
def decide_all(forest, x, found):
    """Keep what row x decides at every node."""
    for n in range(forest.right.shape[0]):
        found.left[n] = goes_left(forest.tests, n, x[forest.tests.column[n]]) if forest.right[n] >= 0 else 0


def decisions(forest: Shape, columns: FloatArray) -> npt.NDArray[np.uint8]:
    """What each row decides at every node: bit n % 8 of byte n // 8 is set for left, not for right and at leaves."""
    out = np.zeros((len(columns), -(-len(forest.right) // 8)), np.uint8)
    _decisions(forest, columns, out)
    return out


@compiled(void(SHAPE_TYPE, MATRIX, BYTES))
def _decisions(forest, columns, out):
    for r in range(columns.shape[0]):
        for n in range(forest.right.shape[0]):
            if forest.right[n] >= 0:
                left = goes_left(forest.tests, n, columns[r, forest.tests.column[n]])
                out[r, n >> 3] |= np.uint8(left) << np.uint8(n & 7)


@compiled(int64(SHAPE_TYPE, uint8[::1], BETWEEN_TYPE))
def gather(forest, z, found):
    """Find the leaves between the row of `decide_all` and one whose `decisions` are z; 0 for more than MOST players."""
    found.number[:] = -1
    found.counts[:] = 0
    for t in range(forest.start.shape[0] - 1):
        found.stack[0], found.stack_x[0], found.stack_z[0] = forest.start[t], 0, 0
        top = 1
        while top > 0:
            top -= 1
            n, with_x, with_z = found.stack[top], found.stack_x[top], found.stack_z[top]
            while forest.right[n] >= 0:
                left_x, left_z = found.left[n], np.int64(z[n >> 3] >> np.uint8(n & 7)) & 1
                x_side = n + 1 if left_x else forest.right[n]
                if left_x == left_z:
                    n = x_side
                    continue
                p = forest.owner[n]
                if found.number[p] < 0:
                    if found.counts[1] == 20:
                        return 0
                    found.number[p] = found.counts[1]
                    found.player[found.counts[1]] = p
                    found.counts[1] += 1
                bit = 1 << found.number[p]
                z_side = forest.right[n] if left_x else n + 1
                if with_x & bit:
                    n = x_side
                elif with_z & bit:
                    n = z_side
                else:
                    found.stack[top], found.stack_x[top], found.stack_z[top] = z_side, with_x, with_z | bit
                    top += 1
                    n, with_x = x_side, with_x | bit
            i = found.counts[0]
            found.leaf[i], found.with_x[i], found.with_z[i] = n, with_x, with_z
            found.counts[0] += 1
    return 1


@compiled(int64(SHAPE_TYPE, FLOATS, BYTES, int64, BETWEEN_TYPE))
def coalitions(forest, x, decided, limit, found):
    """2^m summed over background rows, m being the players that decide between it and x; limit + 1 when more."""
    decide_all(forest, x, found)
    total = 0
    for z in range(decided.shape[0]):
        if gather(forest, decided[z], found) == 0:
            return limit + 1
        total += 1 << found.counts[1]
        if total > limit:
            return limit + 1
    return total
