"""Exact Shapley values of a link of the margin, over every coalition of the players that decide between two rows.

For one background row, a leaf is reached by exactly the coalitions that hold all players of a set X and none of a set
Z, so its value w adds w * prod_X s_i * prod_Z (1 - s_j) to the margin. Expanded, these are Moebius coefficients, and
one zeta transform gives the margin of all 2^m coalitions without evaluating the model; then link and Shapley's weights.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import int64, void

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX
from explainer.attribution.trees.differences import (
    BETWEEN_TYPE,
    MOST,
    SHAPE_TYPE,
    Shape,
    between,
    coalitions,
    decide_all,
    decisions,
    gather,
    shape,
)
from explainer.attribution.trees.evaluate import margins
from explainer.attribution.trees.forest import Forest, as_compared, lay_out
from explainer.attribution.trees.jit import compiled
from explainer.attribution.trees.links import answer, linked
from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class Contest:
    """A forest and the background rows that it tells apart, with their weights."""

    forest: Forest
    shape: Shape
    players: int
    background: FloatArray  # (distinct rows, columns)
    weights: FloatArray


def contest(trees: Trees, owner: IntArray, players: int, columns: FloatArray, weights: FloatArray) -> Contest:
    """Lay the forest out and put together background rows that decide alike at every node."""
    forest = lay_out(trees, owner)
    laid = shape(forest)
    seen = as_compared(forest, columns)
    decided = np.packbits(decisions(laid, seen).astype(bool), axis=1)
    _, first, alike = np.unique(decided, axis=0, return_index=True, return_inverse=True)
    mass = np.bincount(alike.reshape(-1), weights=weights)
    order = np.argsort(first)
    background = np.ascontiguousarray(seen[first[order]])
    return Contest(forest, laid, players, background, np.asarray(mass[order], dtype=np.float64))


def cost(game: Contest, row: FloatArray, limit: int) -> int:
    """Coalitions that `attribute` evaluates for a row of columns; `limit` + 1 when they are more than that."""
    seen = as_compared(game.forest, row[None])
    return int(coalitions(game.shape, seen[0], game.background, limit, between(game.forest, game.players)))


def attribute(game: Contest, columns: FloatArray, link: int, classes: IntArray) -> tuple[FloatArray, IntArray]:
    """Values (rows, players, classes) of the linked margins, and the coalitions evaluated for each row.

    Every row must have been found affordable by `cost`: raises ValueError when one differs from a background row in
    more than MOST players.
    """
    values = np.zeros((len(columns), game.players, len(classes)))
    evaluated = np.zeros(len(columns), np.int64)
    memory = between(game.forest, game.players)
    weights = _coalition_weights()
    seen = as_compared(game.forest, columns)
    f = game.forest
    for r, row in enumerate(seen):
        evaluated[r] = _attribute(
            game.shape, row, game.background, game.weights, f.value, f.base, link, classes, weights, memory, values[r]
        )
        if evaluated[r] < 0:
            raise ValueError(f"Row {r} differs from a background row in more than {MOST} features that decide.")
    return values, evaluated


def answers(game: Contest, columns: FloatArray, link: int, classes: IntArray) -> FloatArray:
    """The linked margins (rows, classes) themselves."""
    return linked(margins(game.forest, columns), link, classes)


def _coalition_weights() -> FloatArray:
    """w[m, s] = s! (m-1-s)! / m!: the weight of a coalition of s others, when one of m players joins it."""
    w = np.zeros((MOST + 1, MOST + 1))
    for m in range(1, MOST + 1):
        for s in range(m):
            w[m, s] = 1.0 / (m * math.comb(m - 1, s))
    return w


@compiled(int64(int64))
def _ones(word):
    count = 0
    while word != 0:
        count += 1
        word &= word - 1
    return count


@compiled(void(BETWEEN_TYPE, MATRIX, MATRIX))
def _expand(found, value, v):
    """Add the Moebius coefficients of all leaves: leaf value times prod_X s_i times prod_Z (1 - s_j)."""
    for i in range(found.counts[0]):
        leaf, with_x, with_z = found.leaf[i], found.with_x[i], found.with_z[i]
        part = with_z
        while True:
            sign = -1.0 if _ones(part) & 1 else 1.0
            for k in range(v.shape[0]):
                v[k, with_x | part] += sign * value[leaf, k]
            if part == 0:
                break
            part = (part - 1) & with_z


@compiled(void(int64, MATRIX))
def _zeta(players, v):
    """Sum over subsets, in place: coefficients become the values of all coalitions."""
    for b in range(players):
        step = 1 << b
        for k in range(v.shape[0]):
            for start in range(0, v.shape[1], 2 * step):
                for s in range(start, start + step):
                    v[k, s + step] += v[k, s]


@compiled(void(int64, int64, FLOATS, FLOATS, FLOATS))
def _shapley(players, count, u, weights, phi):
    """Add to phi[i] the sum over S with i of w(|S|-1) u(S), less the sum over S without i of w(|S|) u(S).

    With c(S) = w(|S|-1) + w(|S|) that is the sum of c(S) u(S) over S with i, less the sum of w(|S|) u(S) over all S.
    """
    everywhere = 0.0
    for s in range(count):
        size = _ones(s)
        everywhere += weights[size] * u[s]
        u[s] *= weights[size] + (weights[size - 1] if size > 0 else 0.0)
    for i in range(players):
        step = 1 << i
        held = 0.0
        for start in range(step, count, 2 * step):
            for s in range(start, start + step):
                held += u[s]
        phi[i] = held - everywhere


@compiled(int64(SHAPE_TYPE, FLOATS, MATRIX, FLOATS, MATRIX, FLOATS, int64, INTS, MATRIX, BETWEEN_TYPE, MATRIX))
def _attribute(forest, x, background, mass, value, base, link, classes, weights, found, out):
    """Add one row's values to out (players, classes); the number of coalitions evaluated, or -1 when too many."""
    decide_all(forest, x, found)
    total = 0
    phi = np.zeros(weights.shape[0])
    margin = np.empty(base.shape[0])
    linked_one = np.empty(classes.shape[0])
    for z in range(background.shape[0]):
        if gather(forest, background[z], found) == 0:
            return -1
        players = found.counts[1]
        count = 1 << players
        total += count
        v, u = np.zeros((base.shape[0], count)), np.empty((classes.shape[0], count))
        v[:, 0] = base
        _expand(found, value, v)
        _zeta(players, v)
        for s in range(count):
            margin[:] = v[:, s]
            answer(margin, link, classes, linked_one)
            u[:, s] = linked_one
        for j in range(classes.shape[0]):
            _shapley(players, count, u[j], weights[players], phi)
            for i in range(players):
                out[found.player[i], j] += mass[z] * phi[i]
    return total
