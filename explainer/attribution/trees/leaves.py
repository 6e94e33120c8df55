"""Gather into the tables of a plan what every leaf gives to its players, for each state that a row can be in."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import int64, void

from explainer.attribution.model import IntArray
from explainer.attribution.trees.decide import FLOATS, INT_MATRIX, INTS, MATRIX
from explainer.attribution.trees.forest import Forest
from explainer.attribution.trees.jit import compiled, record_type
from explainer.attribution.trees.plan import LARGEST_LEAF, WIDTH, Plan
from explainer.records import FloatArray


class Layout(NamedTuple):
    """What filling the tables needs of the forest and the plan; `rank` numbers the tests within their group."""

    group: IntArray
    state_start: IntArray
    member: IntArray
    parent: IntArray
    right: IntArray
    size: IntArray
    owner: IntArray
    slot: IntArray
    players: IntArray
    rank: IntArray
    output: IntArray  # first output of each node's tree


LAYOUT_TYPE = record_type(Layout, INTS, INTS, INT_MATRIX, *[INTS] * 8)


def layout(forest: Forest, plan: Plan, output: IntArray) -> Layout:
    """Gather; `output[t]` is the first output that tree t adds to."""
    rank = np.full(len(forest.right), -1, np.int64)
    rank[plan.inner] = np.arange(len(plan.inner)) - np.repeat(plan.inner_start[:-1], np.diff(plan.inner_start))
    return Layout(
        group=plan.group,
        state_start=plan.state_start,
        member=plan.member,
        parent=forest.parent,
        right=forest.right,
        size=forest.size,
        owner=forest.owner,
        slot=forest.slot,
        players=forest.players,
        rank=rank,
        output=np.repeat(output, np.diff(forest.start)),
    )


def shapley_weights(players: int) -> FloatArray:
    """w[p, q] = (p-1)! q! / (p+q)!: what one of p players that must be present gets when q must be absent."""
    w = np.zeros((players + 1, players + 1))
    for p in range(1, players + 1):
        for q in range(players + 1 - p):
            w[p, q] = (
                math.exp(math.lgamma(p) + math.lgamma(q + 1) - math.lgamma(p + q + 1))
                if p + q > 20
                else (math.factorial(p - 1) * math.factorial(q) / math.factorial(p + q))
            )
    return w


def in_cache_lines(rows: int, columns: int) -> FloatArray:
    """Zeros (rows, columns) that start where a cache line of 64 bytes starts."""
    memory = np.zeros(rows * columns + 8)
    first = -(memory.ctypes.data // 8) % 8
    return memory[first : first + rows * columns].reshape(rows, columns)


def interventional(parts: Layout, value: FloatArray, hist: FloatArray, width: int) -> FloatArray:
    """Tables (states, WIDTH * width) from the background's weight in each state; `width` outputs a leaf.

    A leaf is reached by a mixture of row x and background row z where each player whose tests x fails takes z's
    value, and each whose tests z fails takes x's; it is never reached when both fail. With p players that z fails
    and q that x fails, Shapley's formula gives (p-1)! q!/(p+q)! of the leaf's value to each of the p, and
    -p! (q-1)!/(p+q)! to each of the q (Lundberg et al. 2020, Nature Machine Intelligence 2, 56, supplement).
    """
    table = in_cache_lines(len(hist), WIDTH * width)
    _interventional(parts, value, hist, shapley_weights(LARGEST_LEAF), width, table)
    return table


@compiled(void(int64, FLOATS, MATRIX, MATRIX))
def _leaf_shares(k, mass, weights, share):
    """share[f, i]: what player i of a leaf of value 1 gets when the row fails the players in f."""
    full = (1 << k) - 1
    count = np.zeros(1 << k, np.int64)
    for f in range(1, 1 << k):
        count[f] = count[f >> 1] + (f & 1)
    for f in range(1 << k):
        share[f, :k] = 0.0
        q = count[f]
        free = full & ~f
        other = free
        absent = 0.0
        while True:
            if mass[other] != 0.0:
                p = count[other]
                gain = mass[other] * weights[p, q]
                absent -= mass[other] * weights[q, p]
                for i in range(k):
                    if (other >> i) & 1:
                        share[f, i] += gain
            if other == 0:
                break
            other = (other - 1) & free
        for i in range(k):
            if (f >> i) & 1:
                share[f, i] = absent


@compiled(void(LAYOUT_TYPE, int64, int64, INTS, INTS))
def leaf_patterns(parts, g, leaf, pattern, member):
    """For each state of the group, the players of the leaf that a row in that state fails; and their group members."""
    root = parts.group[g]
    prefix = parts.players[root]
    states = parts.state_start[g + 1] - parts.state_start[g]
    for s in range(states):
        pattern[s] = s & ((1 << prefix) - 1)
    first = 8 if g > 0 and parts.group[g - 1] == root else 0
    for i in range(prefix):
        member[i] = i - first if first <= i < first + 8 else -1
    node = leaf
    while node != root:
        above = parts.parent[node]
        wanted = 0 if parts.right[above] == node else 1
        bit = prefix + parts.rank[above]
        slot = parts.slot[above]
        for s in range(states):
            if (s >> bit) & 1 != wanted:
                pattern[s] |= 1 << slot
        for m in range(8):
            if parts.member[g, m] == parts.owner[above]:
                member[slot] = m
        node = above


@compiled(void(LAYOUT_TYPE, int64, int64, INTS, INTS, MATRIX, MATRIX, int64, MATRIX))
def add_leaf(parts, g, leaf, pattern, member, share, value, width, table):
    """Add the leaf's shares, times its value, to the entries of all states of the group."""
    first = parts.state_start[g]
    output = parts.output[leaf]
    for s in range(parts.state_start[g + 1] - first):
        f = pattern[s]
        for i in range(parts.players[leaf]):
            if member[i] < 0:
                continue
            for o in range(width):
                table[first + s, member[i] * width + o] += share[f, i] * value[leaf, output + o]


@compiled(void(LAYOUT_TYPE, MATRIX, FLOATS, MATRIX, int64, MATRIX))
def _interventional(parts, value, hist, weights, width, table):
    pattern = np.empty(2048, np.int64)
    member = np.empty(16, np.int64)
    mass = np.empty(2048)
    share = np.empty((2048, 11))
    for g in range(parts.group.shape[0]):
        root = parts.group[g]
        for leaf in range(root, root + parts.size[root]):
            if parts.right[leaf] >= 0:
                continue
            leaf_patterns(parts, g, leaf, pattern, member)
            first, states = parts.state_start[g], parts.state_start[g + 1] - parts.state_start[g]
            k = parts.players[leaf]
            mass[: 1 << k] = 0.0
            for s in range(states):
                mass[pattern[s]] += hist[first + s]
            _leaf_shares(k, mass, weights, share)
            add_leaf(parts, g, leaf, pattern, member, share, value, width, table)
