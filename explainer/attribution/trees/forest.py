"""Trees laid out for the kernels: preorder, one kind of numeric test, and for every node the player that it asks."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import int64, types

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees.decide import INTS, Tests
from explainer.attribution.trees.jit import compiled
from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class Forest:
    """All trees in preorder: the left child of inner node n is n + 1, the right one `right[n]` (-1 at a leaf).

    `size[n]` nodes lie in the subtree of n. Players on the path to n have the slots 0 .. `players[n]` - 1 in the order
    in which they are met; the test of n belongs to `owner[n]`, whose slot is `slot[n]`.
    """

    start: IntArray  # (trees + 1,)
    tests: Tests  # of every node; meaningless at leaves
    parent: IntArray
    right: IntArray
    size: IntArray
    owner: IntArray
    slot: IntArray
    players: IntArray
    value: FloatArray  # (nodes, outputs)
    cover: FloatArray
    base: FloatArray
    single: bool


def lay_out(trees: Trees, owner: IntArray) -> Forest:
    """Renumber the nodes in preorder and give every player on a path its slot; `owner[c]` is the player of column c."""
    start, order, parent, right, size = _preorder(trees.roots, trees.left, trees.right)
    player = np.where(right >= 0, owner[trees.column[order]], -1).astype(np.int64)
    slot, players = _slots(parent, player)
    return Forest(
        start=start,
        tests=_tests(trees, order),
        parent=parent,
        right=right,
        size=size,
        owner=player,
        slot=slot,
        players=players,
        value=np.ascontiguousarray(trees.value[order]),
        cover=trees.cover[order],
        base=trees.base,
        single=trees.single,
    )


def _tests(trees: Trees, order: IntArray) -> Tests:
    """`x < t` becomes `x <= the number before t`, so that the kernels know one numeric test."""
    kind, threshold = trees.kind[order], trees.threshold[order]
    return Tests(
        column=trees.column[order].astype(np.uint32),
        kind=np.where(kind == 1, 0, kind).astype(np.uint32),
        threshold=np.where(kind == 1, np.nextafter(threshold, -np.inf), threshold),
        missing_left=trees.missing_left[order],
        set_start=trees.set_start[order],
        set_size=trees.set_size[order],
        words=np.ascontiguousarray(trees.set_words).view(np.int64),
    )


def picked(tests: Tests, nodes: IntArray) -> Tests:
    """The tests of some nodes, in their order."""
    return Tests(
        column=tests.column[nodes],
        kind=tests.kind[nodes],
        threshold=tests.threshold[nodes],
        missing_left=tests.missing_left[nodes],
        set_start=tests.set_start[nodes],
        set_size=tests.set_size[nodes],
        words=tests.words,
    )


def as_compared(forest: Forest, columns: FloatArray) -> FloatArray:
    """The columns as the tests see them: contiguous float64, rounded to float32 where the library does so."""
    if not forest.single:
        return np.ascontiguousarray(columns, dtype=np.float64)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(columns, dtype=np.float32).astype(np.float64)


@compiled(types.UniTuple(INTS, 5)(int64[:], int64[:], int64[:]))
def _preorder(roots, left, right):
    nodes = left.shape[0]
    start = np.zeros(roots.shape[0] + 1, np.int64)
    order = np.empty(nodes, np.int64)
    parent = np.full(nodes, -1, np.int64)
    new_right = np.full(nodes, -1, np.int64)
    stack = np.empty(nodes + 1, np.int64)
    above = np.empty(nodes + 1, np.int64)
    count = 0
    for t in range(roots.shape[0]):
        stack[0], above[0] = roots[t], -1
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            p = above[top]
            parent[count] = p
            if p >= 0 and p != count - 1:
                new_right[p] = count
            order[count] = node
            if left[node] >= 0:
                stack[top], above[top] = right[node], count
                stack[top + 1], above[top + 1] = left[node], count
                top += 2
            count += 1
        start[t + 1] = count
    size = np.ones(count, np.int64)
    for n in range(count - 1, -1, -1):
        if parent[n] >= 0:
            size[parent[n]] += size[n]
    return start, order[:count].copy(), parent[:count].copy(), new_right[:count].copy(), size


@compiled(types.UniTuple(INTS, 2)(INTS, INTS))
def _slots(parent, player):
    nodes = parent.shape[0]
    slot = np.full(nodes, -1, np.int64)
    players = np.zeros(nodes, np.int64)
    for n in range(nodes):
        p = parent[n]
        if p >= 0:
            players[n] = max(players[p], slot[p] + 1)
        if player[n] < 0:
            continue
        slot[n] = players[n]
        while p >= 0:
            if player[p] == player[n]:
                slot[n] = slot[p]
                break
            p = parent[p]
    return slot, players
