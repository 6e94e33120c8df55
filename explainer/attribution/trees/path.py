"""Path-dependent Shapley values: an absent player's tests send a row both ways, in the proportion of training rows.

Needs no background. At a leaf, player i's tests are met by the row (a_i = 1) or not (0), and were met by the share r_i
of the training rows; the leaf's value times prod_S a_i prod_notS r_i is the game (Lundberg et al. 2020, algorithm 1,
here with all columns of a feature as one player). Then phi_i = value (a_i - r_i) times the integral over t from 0 to 1
of prod_{j != i} (a_j t + r_j (1 - t)), a polynomial that Gauss's rule integrates exactly.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import int64, void

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees import attribute
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX, TESTS_TYPE, goes_left
from explainer.attribution.trees.deep import DEEP_TYPE, deep_leaves
from explainer.attribution.trees.forest import Forest, as_compared, lay_out
from explainer.attribution.trees.jit import compiled
from explainer.attribution.trees.leaves import LAYOUT_TYPE, add_leaf, in_cache_lines, layout, leaf_patterns
from explainer.attribution.trees.plan import LARGEST_LEAF, LIMITS, WIDTH, Limits, cut
from explainer.attribution.trees.program import pack
from explainer.attribution.trees.sums import SUMS_TYPE, Sums, targets, tree_outputs
from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class PreparedPath:
    """Tables for all leaves but those in `leaves`, which are integrated for each row."""

    tables: attribute.Prepared
    leaves: IntArray
    ratio: FloatArray  # (nodes,) share of the parent's training rows that go there
    points: FloatArray  # Gauss's points between 0 and 1
    weights: FloatArray


def prepare(trees: Trees, owner: IntArray, players: int, limits: Limits = LIMITS) -> PreparedPath:
    """Tables from the cover of the nodes; a node that no training row reached sends half of nothing either way."""
    forest = lay_out(trees, owner)
    output, width = tree_outputs(forest)
    plan = cut(forest, WIDTH * width * 8, limits)
    program = pack(forest, plan)
    ratio = _ratios(forest)
    table = in_cache_lines(int(plan.state_start[-1]), WIDTH * width)
    parts = layout(forest, plan, output)
    _fill(parts, forest.value, ratio, *_gauss(LARGEST_LEAF), width, table)
    sums = Sums(forest.value, output, table, targets(forest, plan, output, players), forest.value.shape[1], width)
    leaves = np.flatnonzero(plan.role == 3)
    nobody = deep_leaves(forest, plan, np.zeros((0, 1)), np.zeros(0))
    nobody = nobody._replace(leaves=np.zeros_like(nobody.leaves))
    tables = attribute.assembled(forest, program, sums, nobody, players, _mean(forest, ratio))
    return PreparedPath(tables, leaves, ratio, *_gauss(int(forest.players.max(initial=1))))


def attribute_path(prepared: PreparedPath, columns: FloatArray) -> FloatArray:
    """Shapley values (rows, players, outputs) of the margin; a row's bits do not depend on the others."""
    p, tables = prepared, prepared.tables
    values = np.ascontiguousarray(attribute.attribute(tables, columns))
    if len(p.leaves):
        x = as_compared(tables.forest, columns)
        flat = values.reshape(len(values), -1)
        _add_deep(tables.deep, tables.forest.tests, tables.sums, p.leaves, p.ratio, p.points, p.weights, x, flat)
    return values


def _ratios(forest: Forest) -> FloatArray:
    up = np.where(forest.parent >= 0, forest.cover[forest.parent], 0.0)
    return np.where(up > 0, forest.cover / np.where(up > 0, up, 1.0), 0.5)


def _mean(forest: Forest, ratio: FloatArray) -> FloatArray:
    """The mean margin of the training rows, as the covers tell it."""
    reach = np.ones(len(ratio))
    for n in np.flatnonzero(forest.parent >= 0):
        reach[n] = reach[forest.parent[n]] * ratio[n]
    return np.asarray(forest.base + reach @ forest.value)


def _gauss(players: int) -> tuple[FloatArray, FloatArray]:
    """Points and weights on 0..1 that integrate the product of players - 1 linear factors exactly."""
    points, weights = np.polynomial.legendre.leggauss(max(1, (players + 1) // 2))
    return (points + 1) / 2, weights / 2


@compiled(void(int64, int64, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS))
def _shares(k, failed, met, points, weights, before, share):
    """share[i]: what player i of a leaf of value 1 gets when the row fails the players in `failed`."""
    for i in range(k):
        share[i] = 0.0
    for g in range(points.shape[0]):
        t = points[g]
        product = weights[g]
        for i in range(k):
            before[i] = product
            product *= met[i] * (1.0 - t) + (0.0 if (failed >> i) & 1 else t)
        product = 1.0
        for i in range(k - 1, -1, -1):
            share[i] += before[i] * product
            product *= met[i] * (1.0 - t) + (0.0 if (failed >> i) & 1 else t)
    for i in range(k):
        share[i] *= (0.0 if (failed >> i) & 1 else 1.0) - met[i]


@compiled(void(LAYOUT_TYPE, MATRIX, FLOATS, FLOATS, FLOATS, int64, MATRIX))
def _fill(parts, value, ratio, points, weights, width, table):
    pattern, member = np.empty(2048, np.int64), np.empty(16, np.int64)
    met, before, share = np.empty(16), np.empty(16), np.empty((2048, 16))
    for g in range(parts.group.shape[0]):
        root = parts.group[g]
        for leaf in range(root, root + parts.size[root]):
            if parts.right[leaf] >= 0:
                continue
            leaf_patterns(parts, g, leaf, pattern, member)
            k = parts.players[leaf]
            met[:k] = 1.0
            node = leaf
            while parts.parent[node] >= 0:
                met[parts.slot[parts.parent[node]]] *= ratio[node]
                node = parts.parent[node]
            for failed in range(1 << k):
                _shares(k, failed, met, points, weights, before, share[failed])
            add_leaf(parts, g, leaf, pattern, member, share, value, width, table)


@compiled(void(DEEP_TYPE, TESTS_TYPE, SUMS_TYPE, INTS, FLOATS, FLOATS, FLOATS, MATRIX, MATRIX))
def _add_deep(deep, tests, sums, leaves, ratio, points, weights, x, flat):
    met, before, share = np.empty(64), np.empty(64), np.empty(64)
    player = np.empty(64, np.int64)
    tree = 0
    for leaf in leaves:
        while deep.start[tree + 1] <= leaf:
            tree += 1
        k = deep.players[leaf]
        for r in range(x.shape[0]):
            met[:k] = 1.0
            failed, node = np.int64(0), leaf
            while deep.parent[node] >= 0:
                p = deep.parent[node]
                slot = deep.slot[p]
                player[slot] = deep.owner[p]
                met[slot] *= ratio[node]
                if goes_left(tests, p, x[r, tests.column[p]]) != (node == p + 1):
                    failed |= np.int64(1) << slot
                node = p
            _shares(k, failed, met, points, weights, before, share)
            for i in range(k):
                for o in range(sums.output[tree], sums.output[tree] + sums.width):
                    flat[r, player[i] * sums.outputs + o] += share[i] * sums.value[leaf, o]
