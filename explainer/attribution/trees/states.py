"""The state of rows in every group of a tree: each inner node's test is asked once a row.

A cell holds one bit for each player on the path to its node, set when the row fails one of the player's tests there.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0124 (only NaN differs from itself)

from __future__ import annotations

import numpy as np
from numba import uint64, void

from explainer.attribution.trees.decide import FLOATS, MATRIX, goes_left
from explainer.attribution.trees.jit import compiled, inlined
from explainer.attribution.trees.program import PROGRAM_TYPE, Program, cells
from explainer.records import FloatArray

WORDS, WORD_MATRIX = uint64[::1], uint64[:, ::1]
BLOCK = 256  # rows that go through one tree together: its tables stay in the processor's cache
BLOCK_CELLS = 4_000_000  # and fewer where a tree has so many cells that a block's would not fit 32 MB


def block_rows(program: Program) -> int:
    """How many rows go through a tree together; no number depends on it."""
    return max(1, min(BLOCK, BLOCK_CELLS // cells(program)))


@inlined
def row_states(program, tree, x, cell, state):
    """Write to state[g] the table entry that row x selects in each group g of the tree; `cell` is scratch."""
    tests, tops = program.top_tests, program.tops
    column, kind, threshold, missing_left = tests.column, tests.kind, tests.threshold, tests.missing_left
    place, to_left, to_right, slots = tops.cell, tops.left, tops.right, tops.slot
    cell[0] = 0
    for j in range(tops.start[tree], tops.start[tree + 1]):
        v = x[column[j]]
        if kind[j] == 0:
            left = np.uint64((v <= threshold[j]) | ((v != v) & missing_left[j]))
        else:
            left = np.uint64(goes_left(tests, j, v))
        failed, slot = cell[place[j]], np.uint64(slots[j])
        cell[to_left[j]] = failed | ((np.uint64(1) - left) << slot)
        cell[to_right[j]] = failed | (left << slot)
    inner, groups = program.group_tests, program.groups
    column, kind, threshold, missing_left = inner.column, inner.kind, inner.threshold, inner.missing_left
    place, prefix, inner_start, state_start = groups.cell, groups.prefix, groups.inner_start, groups.state_start
    for g in range(groups.start[tree], groups.start[tree + 1]):
        found, bit = cell[place[g]], np.uint64(prefix[g])
        for j in range(inner_start[g], inner_start[g + 1]):
            v = x[column[j]]
            if kind[j] == 0:
                left = np.uint64((v <= threshold[j]) | ((v != v) & missing_left[j]))
            else:
                left = np.uint64(goes_left(inner, j, v))
            found |= left << bit
            bit += np.uint64(1)
        state[g] = np.uint64(state_start[g]) + found


@inlined
def block_cells(program, tree, xt, rows, cell):
    """Fill the cells (cells, rows) of a tree for the rows that are the columns of xt (columns, rows)."""
    tests, tops = program.top_tests, program.tops
    column, kind, threshold, missing_left = tests.column, tests.kind, tests.threshold, tests.missing_left
    place, to_left, to_right, slots = tops.cell, tops.left, tops.right, tops.slot
    cell[0, :rows] = 0
    for j in range(tops.start[tree], tops.start[tree + 1]):
        x, limit, slot = xt[column[j]], threshold[j], np.uint64(slots[j])
        here, there_left, there_right = cell[place[j]], cell[to_left[j]], cell[to_right[j]]
        if kind[j] != 0:
            for r in range(rows):
                left = np.uint64(goes_left(tests, j, x[r]))
                there_left[r] = here[r] | ((np.uint64(1) - left) << slot)
                there_right[r] = here[r] | (left << slot)
        elif missing_left[j]:
            for r in range(rows):
                right = np.uint64(x[r] > limit)
                there_left[r] = here[r] | (right << slot)
                there_right[r] = here[r] | ((np.uint64(1) - right) << slot)
        else:
            for r in range(rows):
                left = np.uint64(x[r] <= limit)
                there_left[r] = here[r] | ((np.uint64(1) - left) << slot)
                there_right[r] = here[r] | (left << slot)


@inlined
def block_states(program, group, xt, rows, cell, state):
    """Write to state[r] the table entry that each row of the block selects in the group."""
    tests, groups = program.group_tests, program.groups
    column, kind, threshold, missing_left = tests.column, tests.kind, tests.threshold, tests.missing_left
    first, bit = np.uint64(groups.state_start[group]), np.uint64(groups.prefix[group])
    here = cell[groups.cell[group]]
    for r in range(rows):
        state[r] = first + here[r]
    for j in range(groups.inner_start[group], groups.inner_start[group + 1]):
        x, limit = xt[column[j]], threshold[j]
        if kind[j] != 0:
            for r in range(rows):
                state[r] += np.uint64(goes_left(tests, j, x[r])) << bit
        elif missing_left[j]:
            for r in range(rows):
                state[r] += (np.uint64(1) - np.uint64(x[r] > limit)) << bit
        else:
            for r in range(rows):
                state[r] += np.uint64(x[r] <= limit) << bit
        bit += np.uint64(1)


@inlined
def turn(x, first, rows, xt):
    """Rows first .. first + rows of x become the columns of xt."""
    for c in range(x.shape[1]):
        for r in range(rows):
            xt[c, r] = x[first + r, c]


def histogram(program: Program, columns: FloatArray, weights: FloatArray) -> FloatArray:
    """Total weight of the background rows in each state of each group, (states,)."""
    out = np.zeros(int(program.groups.state_start[-1]))
    block = block_rows(program)
    cell, xt = np.empty((cells(program), block), np.uint64), np.empty((columns.shape[1], block))
    _histogram(program, columns, weights, cell, xt, out)
    return out


@compiled(void(PROGRAM_TYPE, MATRIX, FLOATS, WORD_MATRIX, MATRIX, FLOATS))
def _histogram(program, columns, weights, cell, xt, out):
    starts = program.groups.start
    state = np.empty(cell.shape[1], np.uint64)
    for first in range(0, columns.shape[0], cell.shape[1]):
        rows = min(cell.shape[1], columns.shape[0] - first)
        turn(columns, first, rows, xt)
        for t in range(starts.shape[0] - 1):
            block_cells(program, t, xt, rows, cell)
            for g in range(starts[t], starts[t + 1]):
                block_states(program, g, xt, rows, cell, state)
                for r in range(rows):
                    out[state[r]] += weights[first + r]
