"""Exact Shapley values of a link of the margin, over every coalition of the players that decide between two rows.

For one background row, a leaf is reached by exactly the coalitions that hold all players of a set X and none of a set
Z, so its value w adds w * prod_X s_i * prod_Z (1 - s_j) to the margin. Expanded, these are Moebius coefficients, and
one zeta transform gives the margin of all 2^m coalitions without evaluating the model; then link and Shapley's weights.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import int64

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX
from explainer.attribution.trees.differences import (
    BETWEEN_TYPE,
    BYTES,
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
from explainer.attribution.trees.lattice import CUBE, coalition_weights, fill, shapley
from explainer.attribution.trees.links import bend, linked
from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class Contest:
    """A forest and the background rows that it tells apart, with their weights and what they decide at every node."""

    forest: Forest
    shape: Shape
    players: int
    background: FloatArray  # (distinct rows, columns)
    decided: npt.NDArray[np.uint8]  # (distinct rows, bytes of a bit for each node)
    weights: FloatArray


def contest(trees: Trees, owner: IntArray, players: int, columns: FloatArray, weights: FloatArray) -> Contest:
    """Lay the forest out and put together background rows that decide alike at every node."""
    forest = lay_out(trees, owner)
    laid = shape(forest)
    seen = as_compared(forest, columns)
    decided = decisions(laid, seen)
    _, first, alike = np.unique(decided, axis=0, return_index=True, return_inverse=True)
    mass = np.bincount(alike.reshape(-1), weights=weights)
    order = np.argsort(first)
    background = np.ascontiguousarray(seen[first[order]])
    kept = np.ascontiguousarray(decided[first[order]])
    return Contest(forest, laid, players, background, kept, np.asarray(mass[order], dtype=np.float64))


def cost(game: Contest, row: FloatArray, limit: int) -> int:
    """Coalitions that `attribute` evaluates for a row of columns; `limit` + 1 when they are more than that."""
    seen = as_compared(game.forest, row[None])
    return int(coalitions(game.shape, seen[0], game.decided, limit, between(game.forest, game.players)))


def attribute(game: Contest, columns: FloatArray, link: int, classes: IntArray) -> tuple[FloatArray, IntArray]:
    """Values (rows, players, classes) of the linked margins, and the coalitions evaluated for each row.

    Every row must have been found affordable by `cost`: raises ValueError when one differs from a background row in
    more than MOST players.
    """
    values = np.zeros((len(columns), game.players, len(classes)))
    evaluated = np.zeros(len(columns), np.int64)
    memory = between(game.forest, game.players)
    weights = coalition_weights()
    seen = as_compared(game.forest, columns)
    f = game.forest
    for r, row in enumerate(seen):
        evaluated[r] = _attribute(
            game.shape, row, game.decided, game.weights, f.value, f.base, link, classes, weights, memory, values[r]
        )
        if evaluated[r] < 0:
            raise ValueError(f"Row {r} differs from a background row in more than {MOST} features that decide.")
    return values, evaluated


def answers(game: Contest, columns: FloatArray, link: int, classes: IntArray) -> FloatArray:
    """The linked margins (rows, classes) themselves."""
    return linked(margins(game.forest, columns), link, classes)


@compiled(int64(SHAPE_TYPE, FLOATS, BYTES, FLOATS, MATRIX, FLOATS, int64, INTS, CUBE, BETWEEN_TYPE, MATRIX))
def _attribute(forest, x, decided, mass, value, base, link, classes, weights, found, out):
    """Add one row's values to out (players, classes); the number of coalitions evaluated, or -1 when too many."""
    decide_all(forest, x, found)
    total, room = 0, 0
    phi = np.zeros(weights.shape[0])
    for z in range(decided.shape[0]):
        if gather(forest, decided[z], found) == 0:
            return -1
        players = found.counts[1]
        count = 1 << players
        total += count
        if count > room:  # memory that is used again: fresh pages would cost more than the work in them
            room = count
            margins, linked_ones = np.empty(base.shape[0] * room), np.empty(classes.shape[0] * room)
        v = margins[: base.shape[0] * count].reshape((base.shape[0], count))
        u = linked_ones[: classes.shape[0] * count].reshape((classes.shape[0], count))
        fill(found, value, base, v)
        bend(v, link, classes, u)
        for j in range(classes.shape[0]):
            shapley(players, u[j], weights, phi)
            for i in range(players):
                out[found.player[i], j] += mass[z] * phi[i]
    return total
