"""The margins of many coalitions between two rows at once: a walk that carries the set of coalitions at every node.

Where both rows go the same way so do all coalitions; where a player decides, the set falls into those that hold it and
those that do not. Sets are words of 64 coalitions, so that a tree costs little more than its leaves between the rows.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import int64, uint64, void

from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX, TESTS_TYPE, goes_left
from explainer.attribution.trees.forest import Forest, as_compared
from explainer.attribution.trees.jit import compiled
from explainer.records import FloatArray

Words = npt.NDArray[np.uint64]
WORDS, WORD_MATRIX, CUBE = uint64[::1], uint64[:, ::1], MATRIX.copy(ndim=3)
SEQUENCE = np.uint64(0x03F79D71B4CB0A89)  # de Bruijn: its 64 windows of six bits are all different


def _places() -> IntArray:
    """The place of a word's only bit by the window of SEQUENCE that a product with it brings to the top."""
    place = np.zeros(64, np.int64)
    for bit in range(64):
        place[((int(SEQUENCE) << bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = bit
    return place


PLACES = _places()


@dataclass(frozen=True, slots=True)
class Hybrids:
    """A forest and background rows as its tests see them; `depth` is the longest path's number of nodes."""

    forest: Forest
    background: FloatArray
    depth: int


def hybrids(forest: Forest, columns: FloatArray) -> Hybrids:
    """Against background `columns` (rows, columns)."""
    depth = np.zeros(len(forest.parent), np.int64)
    _depths(forest.parent, depth)
    return Hybrids(forest, as_compared(forest, columns), int(depth.max(initial=0)) + 1)


def mixed(ready: Hybrids, row: FloatArray, places: IntArray, roles: IntArray, known: BoolArray) -> FloatArray:
    """Margins (coalitions, rows, outputs) between `row` (columns,) and the background rows at `places`.

    Coalition c holds feature f of the i-th of these rows where `known` (coalitions, roles) does so for the role
    `roles[i, f]`; the others have the background row's value. What a column is made from is its feature.
    """
    f = ready.forest
    count, words = len(known), -(-len(known) // 64)
    padded = np.zeros((known.shape[1], 64 * words), dtype=np.bool_)
    padded[:, :count] = known.T
    bits = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    everyone = np.packbits(np.arange(64 * words) < count, bitorder="little").view("<u8").astype(np.uint64)
    out = np.empty((len(places), count, f.value.shape[1]))
    out[:] = f.base
    left = np.zeros(len(f.right), np.int64)
    memory = np.zeros((ready.depth + 1, words), np.uint64)
    _fill(
        f.start,
        f.right,
        f.owner,
        f.tests,
        f.value,
        as_compared(f, row[None])[0],
        ready.background[places],
        np.ascontiguousarray(roles, dtype=np.int64),
        bits,
        everyone,
        left,
        memory,
        np.zeros(ready.depth + 1, np.int64),
        out,
    )
    return out.transpose(1, 0, 2)


@compiled(void(INTS, INTS))
def _depths(parent, depth):
    for n in range(parent.shape[0]):
        if parent[n] >= 0:
            depth[n] = depth[parent[n]] + 1


@compiled(void(WORDS, FLOATS, MATRIX))
def _add(held, value, out):
    """Add a leaf's value to the coalitions of a set."""
    one, zero = np.uint64(1), np.uint64(0)
    for w in range(held.shape[0]):
        word = held[w]
        while word != zero:
            lowest = word & (~word + one)
            c = 64 * w + PLACES[np.int64((lowest * SEQUENCE) >> np.uint64(58))]
            for o in range(value.shape[0]):
                out[c, o] += value[o]
            word ^= lowest


@compiled(int64(WORD_MATRIX, int64, WORDS))
def _part(sets, top, holds):
    """Leave those without the player at `top` and put those with it above; 1 when all have it, 2 when none, else 0."""
    some, others = np.uint64(0), np.uint64(0)
    for w in range(holds.shape[0]):
        here = sets[top, w]
        some |= here & holds[w]
        others |= here & ~holds[w]
    if others == np.uint64(0):
        return 1
    if some == np.uint64(0):
        return 2
    for w in range(holds.shape[0]):
        here = sets[top, w]
        sets[top + 1, w] = here & holds[w]
        sets[top, w] = here & ~holds[w]
    return 0


@compiled(
    void(
        INTS, INTS, INTS, TESTS_TYPE, MATRIX, FLOATS, MATRIX, int64[:, ::1], WORD_MATRIX, WORDS, INTS, WORD_MATRIX,
        INTS, CUBE,
    )
)  # fmt: skip
def _fill(start, right, owner, tests, value, x, background, roles, bits, everyone, left, sets, nodes, out):
    for n in range(right.shape[0]):
        left[n] = goes_left(tests, n, x[tests.column[n]]) if right[n] >= 0 else 0
    for z in range(background.shape[0]):
        for t in range(start.shape[0] - 1):
            n = start[t]
            sets[0] = everyone
            top = 0
            while True:
                while right[n] >= 0:
                    left_x = left[n] != 0
                    left_z = goes_left(tests, n, background[z, tests.column[n]])
                    x_side = n + 1 if left_x else right[n]
                    if left_x == left_z:
                        n = x_side
                        continue
                    z_side = right[n] if left_x else n + 1
                    found = _part(sets, top, bits[roles[z, owner[n]]])
                    if found == 2:
                        n = z_side
                        continue
                    if found == 0:
                        nodes[top] = z_side
                        top += 1
                    n = x_side
                _add(sets[top], value[n], out[z])
                if top == 0:
                    break
                top -= 1
                n = nodes[top]
