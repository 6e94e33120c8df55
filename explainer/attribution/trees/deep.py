"""Which branch every background row takes at the nodes above leaves that are too deep for a table, as bits."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64, void

from explainer.attribution.model import IntArray
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX, TESTS_TYPE, goes_left
from explainer.attribution.trees.forest import Forest
from explainer.attribution.trees.jit import compiled, record_type
from explainer.attribution.trees.plan import Plan
from explainer.records import FloatArray

MOST_PLAYERS = 62  # on one path: a row's failures are the bits of one word
BITSET_BYTES = 512 * 2**20


class Deep(NamedTuple):
    """The nodes of a forest for a walk with background rows in hand.

    `bits[row[n], z // 64]` has bit z % 64 set when background row z passes the test of n's parent that leads to n;
    row is -1 where nobody walks.
    """

    start: IntArray
    leaves: IntArray  # (trees,) number of deep leaves; a tree without any is not walked
    right: IntArray
    size: IntArray
    parent: IntArray
    depth: IntArray
    slot: IntArray
    owner: IntArray
    players: IntArray
    role: IntArray
    group: IntArray
    row: IntArray
    bits: npt.NDArray[np.uint64]  # (rows, words)
    weights: FloatArray  # of the background rows


DEEP_TYPE = record_type(Deep, *[INTS] * 12, uint64[:, ::1], FLOATS)


def deep_leaves(forest: Forest, plan: Plan, columns: FloatArray, weights: FloatArray) -> Deep:
    """Mark, for every node above or at a deep leaf, the background rows that its parent's test sends there."""
    group = np.full(len(forest.right), -1, np.int64)
    group[plan.group[::-1]] = np.arange(len(plan.group))[::-1]
    walked = np.repeat(plan.deep > 0, np.diff(forest.start)) & (plan.role != 2) & (forest.parent >= 0)
    row = np.where(walked, np.cumsum(walked) - 1, -1)
    bits = np.zeros((int(walked.sum()), -(-len(columns) // 64)), np.uint64)
    _mark(forest.parent, row, forest.tests, columns, bits)
    return Deep(
        start=forest.start,
        leaves=plan.deep,
        right=forest.right,
        size=forest.size,
        parent=forest.parent,
        depth=_depths(forest.parent),
        slot=forest.slot,
        owner=forest.owner,
        players=forest.players,
        role=plan.role,
        group=group,
        row=row,
        bits=bits,
        weights=np.ascontiguousarray(weights),
    )


@compiled(INTS(INTS))
def _depths(parent):
    depth = np.zeros(parent.shape[0], np.int64)
    for n in range(parent.shape[0]):
        if parent[n] >= 0:
            depth[n] = depth[parent[n]] + 1
    return depth


@compiled(void(INTS, INTS, TESTS_TYPE, MATRIX, uint64[:, ::1]))
def _mark(parent, row, tests, columns, bits):
    for n in range(parent.shape[0]):
        if row[n] < 0:
            continue
        p = parent[n]
        for z in range(columns.shape[0]):
            if goes_left(tests, p, columns[z, tests.column[p]]) == (n == p + 1):
                bits[row[n], z >> 6] |= np.uint64(1) << np.uint64(z & 63)
