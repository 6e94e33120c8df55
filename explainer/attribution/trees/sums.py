"""Where shares go: from leaf values and table entries to a row's Shapley values."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import int64

from explainer.attribution.model import IntArray
from explainer.attribution.trees.decide import INDEX_MATRIX, INTS, MATRIX, IndexArray
from explainer.attribution.trees.forest import Forest
from explainer.attribution.trees.jit import inlined, record_type
from explainer.attribution.trees.plan import Plan
from explainer.records import FloatArray


class Sums(NamedTuple):
    """A row's values lie flat, (players + 1) * outputs; the last player is nobody and takes what groups leave empty."""

    value: FloatArray  # (nodes, outputs)
    output: IntArray  # (trees,) first output that the tree adds to
    table: FloatArray  # (states, WIDTH * width)
    target: IndexArray  # (groups, WIDTH) place of each member's first output
    outputs: int
    width: int  # outputs that a leaf adds to


SUMS_TYPE = record_type(Sums, MATRIX, INTS, MATRIX, INDEX_MATRIX, int64, int64)


def tree_outputs(forest: Forest) -> tuple[IntArray, int]:
    """First output of each tree, and how many it adds to: one where each tree keeps to one output, else all."""
    used = np.add.reduceat(forest.value != 0.0, forest.start[:-1], axis=0) > 0
    if (used.sum(axis=1) <= 1).all():
        return np.argmax(used, axis=1).astype(np.int64), 1
    return np.zeros(len(used), np.int64), used.shape[1]


def targets(forest: Forest, plan: Plan, output: IntArray, players: int) -> IndexArray:
    """The place in a row's flat values that each member of each group adds to first."""
    outputs = forest.value.shape[1]
    tree = np.searchsorted(forest.start, plan.group, side="right") - 1
    member = np.where(plan.member < 0, players, plan.member)
    return np.ascontiguousarray(member * outputs + output[tree][:, None], dtype=np.uint32)


@inlined
def add_entry(sums, g, entry, phi):
    """Add a table entry of group g to one row's flat values."""
    table, target, width = sums.table, sums.target, sums.width
    if width == 1:
        for s in range(8):
            phi[target[g, s]] += table[entry, s]
    else:
        for s in range(8):
            for o in range(width):
                phi[target[g, s] + o] += table[entry, s * width + o]


@inlined
def add_entries(sums, g, entries, first, rows, flat):
    """Add the table entries of group g to the flat values of rows first .. first + rows."""
    table, target, width = sums.table, sums.target, sums.width
    for r in range(rows):
        entry, phi = entries[r], flat[first + r]
        if width == 1:
            for s in range(8):
                phi[target[g, s]] += table[entry, s]
        else:
            for s in range(8):
                for o in range(width):
                    phi[target[g, s] + o] += table[entry, s * width + o]
