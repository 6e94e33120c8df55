"""Exact Shapley interaction indices of pairs of players in a forest, by the leaves between a row and a background row.

For one background row, a leaf of value w is reached by exactly the coalitions that hold all of p players and none of q
others. Its Shapley interaction index (Grabisch and Roubens 1999) is w (p-2)! q!/(p+q-1)! for two of the p,
w p! (q-2)!/(p+q-1)! for two of the q, and -w (p-1)! (q-1)!/(p+q-1)! for one of each; other players get nothing.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import int64, void

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees.coalitions import Contest
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX, TESTS_TYPE, Tests, goes_left
from explainer.attribution.trees.differences import between, decide_all, gather
from explainer.attribution.trees.evaluate import margins
from explainer.attribution.trees.forest import Forest, as_compared, lay_out
from explainer.attribution.trees.jit import compiled, record_type
from explainer.attribution.trees.lattice import fill
from explainer.attribution.trees.leaves import shapley_weights
from explainer.attribution.trees.links import linked
from explainer.records import FloatArray


class Paths(NamedTuple):
    """A forest as the search walks it; players on a path are told apart by their slots there."""

    start: IntArray
    right: IntArray
    owner: IntArray
    slot: IntArray
    tests: Tests
    value: FloatArray


PATHS_TYPE = record_type(Paths, INTS, INTS, INTS, INTS, TESTS_TYPE, MATRIX)


class Memory(NamedTuple):
    """What the search uses again and again: what x decides at each node, nodes to come back to, players on the path."""

    left: IntArray
    stack: IntArray
    stack_x: IntArray
    stack_z: IntArray
    player: IntArray  # of each slot
    here: IntArray  # players that must be present at the leaf
    gone: IntArray  # players that must be absent there


MEMORY_TYPE = record_type(Memory, *[INTS] * 7)


class Rivals(NamedTuple):
    """A forest ready to be walked against background rows (as its tests see them) with weights that sum to 1."""

    forest: Forest
    players: int
    background: FloatArray
    weights: FloatArray
    expected: FloatArray


def rivals(trees: Trees, owner: IntArray, players: int, columns: FloatArray, weights: FloatArray) -> Rivals:
    """Lay the forest out; `expected` (outputs,) is its mean margin over the background `columns`."""
    forest = lay_out(trees, owner)
    seen = as_compared(forest, columns)
    return Rivals(forest, players, seen, np.ascontiguousarray(weights), weights @ margins(forest, columns))


def indices(ready: Rivals, row: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Interaction indices (players, players, outputs), symmetric with an empty diagonal, and Shapley values.

    Both are those of the margin at one row of columns, `row`; the values have shape (players, outputs).
    """
    f, players, outputs = ready.forest, ready.players, ready.forest.value.shape[1]
    found, phi = np.zeros((players, players, outputs)), np.zeros((players, outputs))
    nodes, most = len(f.right), int(f.players.max(initial=0)) + 1
    memory = Memory(*(np.zeros(size, np.int64) for size in (nodes, nodes, nodes, nodes, most, most, most)))
    paths = Paths(f.start, f.right, f.owner, f.slot, f.tests, f.value)
    x = as_compared(f, row[None])[0]
    _walk(paths, x, ready.background, ready.weights, shapley_weights(most), memory, found.reshape(players, -1), phi)
    return found + found.transpose(1, 0, 2), phi


def linked_values(
    game: Contest, row: FloatArray, link: int, classes: IntArray
) -> Iterator[tuple[float, IntArray, FloatArray]]:
    """For each background row, the players that decide between it and `row`, and the value of every coalition.

    Yields (weight, players (m,), values (2**m, classes)); bit j of a coalition's number stands for players[j]. Raises
    ValueError when too many players decide: `coalitions.cost` says so first.
    """
    f, memory = game.forest, between(game.forest, game.players)
    decide_all(game.shape, as_compared(f, row[None])[0], memory)
    for z, weight in zip(game.decided, game.weights, strict=True):
        if gather(game.shape, z, memory) == 0:
            raise ValueError("The row differs from a background row in too many features that decide.")
        players = int(memory.counts[1])
        v = np.empty((len(f.base), 1 << players))
        fill(memory, f.value, f.base, v)
        yield float(weight), memory.player[:players].copy(), linked(v.T, link, classes)


@compiled(int64(int64, INTS, INTS))
def _listed(mask, player, out):
    """Write the players of the slots in `mask` to out; how many they are."""
    count = 0
    slot = 0
    while mask != 0:
        if mask & 1:
            out[count] = player[slot]
            count += 1
        mask >>= 1
        slot += 1
    return count


@compiled(void(int64, int64, INTS, INTS, MATRIX, FLOATS, MATRIX, MATRIX))
def _add(p, q, here, gone, weights, worth, found, phi):
    """Add a leaf's indices, to one side of the diagonal, and values; `worth` (outputs,) is its weighted value."""
    outputs = worth.shape[0]
    both, neither = weights[p - 1, q] if p > 1 else 0.0, weights[q - 1, p] if q > 1 else 0.0
    mixed = -weights[p, q - 1] if p > 0 and q > 0 else 0.0
    for o in range(outputs):
        for i in range(p):
            phi[here[i], o] += weights[p, q] * worth[o]
            for j in range(i):
                found[here[i], here[j] * outputs + o] += both * worth[o]
            for j in range(q):
                found[here[i], gone[j] * outputs + o] += mixed * worth[o]
        for i in range(q):
            phi[gone[i], o] -= weights[q, p] * worth[o]
            for j in range(i):
                found[gone[i], gone[j] * outputs + o] += neither * worth[o]


@compiled(void(PATHS_TYPE, FLOATS, INTS))
def _decide(paths, x, left):
    for n in range(left.shape[0]):
        left[n] = goes_left(paths.tests, n, x[paths.tests.column[n]]) if paths.right[n] >= 0 else 0


@compiled(void(PATHS_TYPE, FLOATS, MATRIX, FLOATS, MATRIX, MEMORY_TYPE, MATRIX, MATRIX))
def _walk(paths, x, background, mass, weights, at, found, phi):
    right, tests, slot = paths.right, paths.tests, paths.slot
    _decide(paths, x, at.left)
    worth = np.empty(paths.value.shape[1])
    for z in range(background.shape[0]):
        for t in range(paths.start.shape[0] - 1):
            at.stack[0], at.stack_x[0], at.stack_z[0] = paths.start[t], 0, 0
            top = 1
            while top > 0:
                top -= 1
                n, with_x, with_z = at.stack[top], at.stack_x[top], at.stack_z[top]
                while right[n] >= 0:
                    left_x, left_z = at.left[n] != 0, goes_left(tests, n, background[z, tests.column[n]])
                    x_side = n + 1 if left_x else right[n]
                    if left_x == left_z:
                        n = x_side
                        continue
                    z_side = right[n] if left_x else n + 1
                    bit = 1 << slot[n]
                    if with_x & bit:
                        n = x_side
                    elif with_z & bit:
                        n = z_side
                    else:
                        at.player[slot[n]] = paths.owner[n]
                        at.stack[top], at.stack_x[top], at.stack_z[top] = z_side, with_x, with_z | bit
                        top += 1
                        n, with_x = x_side, with_x | bit
                if with_x == 0 and with_z == 0:
                    continue
                p, q = _listed(with_x, at.player, at.here), _listed(with_z, at.player, at.gone)
                for o in range(worth.shape[0]):
                    worth[o] = mass[z] * paths.value[n, o]
                _add(p, q, at.here, at.gone, weights, worth, found, phi)
