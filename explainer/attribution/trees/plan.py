"""How a forest is cut into groups small enough for a table each, and which leaves are too deep for one."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import int64

from explainer.attribution.model import IntArray
from explainer.attribution.trees.decide import INT_MATRIX, INTS
from explainer.attribution.trees.forest import Forest
from explainer.attribution.trees.jit import compiled

WIDTH = 8  # players of a group at most, and numbers in an entry: one cache line
LARGEST_STATE = 8  # bits of a group's state at most; a table has 2^bits entries
LARGEST_LEAF = 11  # the same for a group that is one leaf with more players than that


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be put into tables; leaves beyond are walked to. No value depends on it but by rounding."""

    state_bits: int = LARGEST_STATE
    leaf_bits: int = LARGEST_LEAF
    table_bytes: int = 256 * 2**20  # all tables together
    table_steps: int = 200_000_000  # of filling the tables of single leaves, 3^players each: about a second


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Plan:
    """Top nodes, groups and deep leaves of each tree, in preorder.

    A *group* is a subtree below whose root everything is decided by a state of few bits: one for each player met on
    the path to the root (set when the row fails one of that player's tests) and one for each test within (set when
    the row goes left). A leaf with more than WIDTH players that has a table is listed as two groups, the second for
    its players from slot WIDTH on. Inner nodes above the groups are *top* nodes; leaves without a table are *deep*.
    `role[n]` is 0 for a top node, 1 for a group's root, 2 for a node within a group, 3 for a deep leaf.
    """

    role: IntArray
    top: IntArray
    top_start: IntArray  # (trees + 1,)
    group: IntArray  # root node of each group
    group_start: IntArray  # (trees + 1,)
    inner: IntArray  # tests within the groups, group by group
    inner_start: IntArray  # (groups + 1,)
    state_start: IntArray  # (groups + 1,) first table entry
    member: IntArray  # (groups, WIDTH) players of the group, -1 where there are fewer
    deep: IntArray  # (trees,) number of deep leaves


def cut(forest: Forest, entry_bytes: int, limits: Limits = LIMITS) -> Plan:
    """Cut with the most bits whose tables keep to the limits; `entry_bytes` is the size of an entry."""
    wide = [(limits.state_bits, leaf) for leaf in range(limits.leaf_bits, limits.state_bits, -1)]
    narrow = [(bits, bits) for bits in range(limits.state_bits, 0, -1)]
    for bits, leaf_bits in wide + narrow:
        role = _roles(forest.right, forest.size, forest.players, bits, leaf_bits)
        root = role == 1
        state_bits = forest.players[root] + (forest.size[root] - 1) // 2
        halves = 1 + (state_bits > WIDTH)
        steps = 3.0 ** state_bits[state_bits > WIDTH]
        if (halves << state_bits).sum() * entry_bytes <= limits.table_bytes and steps.sum() <= limits.table_steps:
            break
    return _cut(forest, role)


def _cut(forest: Forest, role: IntArray) -> Plan:
    top, group = np.flatnonzero(role == 0), np.flatnonzero(role == 1)
    group = np.repeat(group, 1 + (forest.players[group] > WIDTH))
    within = np.flatnonzero((role == 2) & (forest.right >= 0) | (role == 1) & (forest.right >= 0))
    number = np.searchsorted(group, within, side="right") - 1
    tests = np.bincount(number, minlength=len(group)).astype(np.int64)
    inner_start = np.concatenate([[0], np.cumsum(tests)]).astype(np.int64)
    states = np.left_shift(1, forest.players[group] + tests)
    deep = np.flatnonzero(role == 3)
    return Plan(
        role=role,
        top=top,
        top_start=np.searchsorted(top, forest.start),
        group=group,
        group_start=np.searchsorted(group, forest.start),
        inner=within,
        inner_start=inner_start,
        state_start=np.concatenate([[0], np.cumsum(states)]).astype(np.int64),
        member=_members(group, within, inner_start, forest.parent, forest.owner, forest.slot),
        deep=np.diff(np.searchsorted(deep, forest.start)),
    )


@compiled(INTS(INTS, INTS, INTS, int64, int64))
def _roles(right, size, players, bits, leaf_bits):
    role = np.zeros(right.shape[0], np.int64)
    n = 0
    while n < right.shape[0]:
        if players[n] + (size[n] - 1) // 2 <= bits or (right[n] < 0 and players[n] <= leaf_bits):
            role[n] = 1
            role[n + 1 : n + size[n]] = 2
            n += size[n]
        else:
            role[n] = 0 if right[n] >= 0 else 3
            n += 1
    return role


@compiled(INT_MATRIX(INTS, INTS, INTS, INTS, INTS, INTS))
def _members(group, inner, inner_start, parent, owner, slot):
    member = np.full((group.shape[0], 8), -1, np.int64)
    for g in range(group.shape[0]):
        first = 8 if g > 0 and group[g] == group[g - 1] else 0
        used = 0
        p = parent[group[g]]
        while p >= 0:
            if first <= slot[p] < first + 8:
                member[g, slot[p] - first] = owner[p]
            used = max(used, slot[p] + 1)
            p = parent[p]
        for j in range(inner_start[g], inner_start[g + 1]):
            known = False
            for s in range(used):
                known = known or member[g, s] == owner[inner[j]]
            if not known:
                member[g, used] = owner[inner[j]]
                used += 1
    return member
