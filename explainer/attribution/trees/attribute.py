"""Shapley values of rows from prepared tables: find the state of each group, look its entry up, add."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import void

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees.decide import MATRIX, TESTS_TYPE
from explainer.attribution.trees.deep import DEEP_TYPE, Deep, deep_leaves
from explainer.attribution.trees.evaluate import margins
from explainer.attribution.trees.forest import Forest, as_compared, lay_out
from explainer.attribution.trees.jit import compiled
from explainer.attribution.trees.leaves import interventional, layout, shapley_weights
from explainer.attribution.trees.plan import LIMITS, WIDTH, Limits, cut
from explainer.attribution.trees.program import PROGRAM_TYPE, Program, cells, pack
from explainer.attribution.trees.states import (
    WORD_MATRIX,
    WORDS,
    block_cells,
    block_rows,
    block_states,
    histogram,
    row_states,
    turn,
)
from explainer.attribution.trees.sums import SUMS_TYPE, Sums, add_entries, add_entry, targets, tree_outputs
from explainer.attribution.trees.walk import LEVELS_TYPE, levels, walk_tree
from explainer.records import FloatArray

FEW = 10  # rows up to which they go one by one; no number depends on it


@dataclass(frozen=True, slots=True)
class Prepared:
    """A forest made ready against one background; `expected` (outputs,) is its mean margin there."""

    forest: Forest
    program: Program
    sums: Sums
    deep: Deep
    weights: FloatArray  # Shapley's, by players failed on either side
    players: int
    cells: int
    block: int
    depth: int
    expected: FloatArray


def prepare(
    trees: Trees,
    owner: IntArray,
    players: int,
    columns: FloatArray,
    weights: FloatArray,
    limits: Limits = LIMITS,
) -> Prepared:
    """Tables against background columns (rows, columns) with weights that sum to 1; `owner[c]`: player of column c."""
    forest = lay_out(trees, owner)
    output, width = tree_outputs(forest)
    plan = cut(forest, WIDTH * width * 8, limits)
    program = pack(forest, plan)
    z = as_compared(forest, columns)
    mass = histogram(program, z, weights)
    table = interventional(layout(forest, plan, output), forest.value, mass, width)
    sums = Sums(forest.value, output, table, targets(forest, plan, output, players), forest.value.shape[1], width)
    deep = deep_leaves(forest, plan, z, weights)
    return assembled(forest, program, sums, deep, players, weights @ margins(forest, columns))


def assembled(forest: Forest, program: Program, sums: Sums, deep: Deep, players: int, expected: FloatArray) -> Prepared:
    """All parts of a prepared forest together."""
    return Prepared(
        forest=forest,
        program=program,
        sums=sums,
        deep=deep,
        weights=shapley_weights(int(forest.players.max(initial=0))),
        players=players,
        cells=cells(program),
        block=block_rows(program),
        depth=int(deep.depth.max(initial=0)) + 1,
        expected=expected,
    )


def attribute(prepared: Prepared, columns: FloatArray) -> FloatArray:
    """Shapley values (rows, players, outputs) of the margin; a row's bits do not depend on the others."""
    p = prepared
    flat = np.zeros((len(columns), (p.players + 1) * p.sums.outputs))
    x = as_compared(p.forest, columns)
    memory = levels(p.depth, len(p.deep.weights) if p.deep.leaves.any() else 0)
    if len(x) <= FEW:
        cell, state = np.empty(p.cells, np.uint64), np.empty(len(p.program.groups.cell), np.uint64)
        _row_by_row(p.program, p.sums, p.deep, p.forest.tests, p.weights, memory, cell, state, x, flat)
    else:
        cell, xt = np.empty((p.cells, p.block), np.uint64), np.empty((x.shape[1], p.block))
        _in_blocks(p.program, p.sums, p.deep, p.forest.tests, p.weights, memory, cell, xt, x, flat)
    return flat.reshape(len(columns), p.players + 1, p.sums.outputs)[:, :-1]


def predict(prepared: Prepared, columns: FloatArray) -> FloatArray:
    """The margins (rows, outputs) themselves, by a walk of their own."""
    return margins(prepared.forest, columns)


SHARED = (PROGRAM_TYPE, SUMS_TYPE, DEEP_TYPE, TESTS_TYPE, MATRIX, LEVELS_TYPE)


@compiled(void(*SHARED, WORDS, WORDS, MATRIX, MATRIX))
def _row_by_row(program, sums, deep, tests, weights, memory, cell, state, x, flat):
    starts = program.groups.start
    for r in range(x.shape[0]):
        for t in range(starts.shape[0] - 1):
            if deep.leaves[t] > 0:
                walk_tree(deep, tests, program.groups, program.group_tests, t, x[r], sums, weights, memory, flat[r])
                continue
            row_states(program, t, x[r], cell, state)
            for g in range(starts[t], starts[t + 1]):
                add_entry(sums, g, state[g], flat[r])


@compiled(void(*SHARED, WORD_MATRIX, MATRIX, MATRIX, MATRIX))
def _in_blocks(program, sums, deep, tests, weights, memory, cell, xt, x, flat):
    starts = program.groups.start
    state = np.empty(cell.shape[1], np.uint64)
    for first in range(0, x.shape[0], cell.shape[1]):
        rows = min(cell.shape[1], x.shape[0] - first)
        turn(x, first, rows, xt)
        for t in range(starts.shape[0] - 1):
            if deep.leaves[t] > 0:
                for r in range(first, first + rows):
                    walk_tree(deep, tests, program.groups, program.group_tests, t, x[r], sums, weights, memory, flat[r])
                continue
            block_cells(program, t, xt, rows, cell)
            for g in range(starts[t], starts[t + 1]):
                block_states(program, g, xt, rows, cell, state)
                add_entries(sums, g, state, first, rows, flat)
