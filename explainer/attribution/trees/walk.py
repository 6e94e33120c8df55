"""Walk down a deep tree with all background rows in hand, and share its leaves out on the way up.

At a node, row x fails the players of a set f, and only background rows that meet all tests of those players can still
be there; each of them fails p players that x meets. Shapley's weights depend on p and on q = |f| alone, so what the
leaves below give to a player is summed for each background row on the way up, and handed over at the node where the
leaves came to depend on that player: where the background row first fails one of its tests, or where x does.
"""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import int64, uint64, void

from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.trees.decide import BOOLS, FLOATS, INTS, MATRIX, TESTS_TYPE, goes_left
from explainer.attribution.trees.deep import DEEP_TYPE
from explainer.attribution.trees.jit import compiled, inlined, record_type
from explainer.attribution.trees.program import GROUPS_TYPE
from explainer.attribution.trees.sums import SUMS_TYPE, add_entry
from explainer.records import FloatArray

WordArray = npt.NDArray[np.uint64]


class Levels(NamedTuple):
    """Memory of one walk: for each depth, the background rows there, what they fail, and what they have gathered."""

    rows: WordArray  # (depth, background rows)
    origin: WordArray  # place of each among the rows one level up
    fails: WordArray  # slots of which it fails a test
    missed: WordArray  # how many of the players that x meets it fails
    present: FloatArray  # what the leaves below give to a player that must be present
    absent: FloatArray  # and to one that must be absent
    size: WordArray  # (depth,) how many rows there are
    failed: WordArray  # slots of which x fails a test
    left: BoolArray  # where x goes
    node: WordArray
    turn: IntArray  # how the level was entered: 0 x went along, 1 x did not, 2 x had failed the player before


WORD_MATRIX, WORDS = uint64[:, ::1], uint64[::1]
LEVELS_TYPE = record_type(Levels, *[WORD_MATRIX] * 4, MATRIX, MATRIX, WORDS, WORDS, BOOLS, WORDS, INTS)


def levels(depth: int, background: int) -> Levels:
    """Memory for walks of trees of at most this depth against that many background rows."""
    grids = np.zeros((4, depth, background), np.uint64)
    sums = np.zeros((2, depth, background))
    lines = np.zeros((3, depth), np.uint64)
    return Levels(
        rows=grids[0],
        origin=grids[1],
        fails=grids[2],
        missed=grids[3],
        present=sums[0],
        absent=sums[1],
        size=lines[0],
        failed=lines[1],
        left=np.zeros(depth, np.bool_),
        node=lines[2],
        turn=np.zeros(depth, np.int64),
    )


@inlined
def _add_group(groups, tests, sums, g, failed, x, phi):
    """Look up and add the table entry that row x selects in group g."""
    column, one = tests.column, np.uint64(1)
    entry, bit = failed, np.uint64(groups.prefix[g])
    for j in range(np.uint64(groups.inner_start[g]), np.uint64(groups.inner_start[g + one])):
        entry |= np.uint64(goes_left(tests, j, x[column[j]])) << bit
        bit += one
    add_entry(sums, g, np.uint64(groups.state_start[g]) + entry, phi)


@inlined
def _add_groups(deep, groups, tests, sums, n, failed, x, phi):
    """The group whose root is node n, or both halves of a leaf with many players."""
    g = np.uint64(deep.group[n])
    _add_group(groups, tests, sums, g, failed, x, phi)
    if deep.players[n] > 8:
        _add_group(groups, tests, sums, g + np.uint64(1), failed, x, phi)


@inlined
def _enter(at, d, go, word_row, slot, turn):
    """Fill level d from the one above: the background rows that can be there when x takes this turn."""
    rows, origin, fails, count = at.rows, at.origin, at.fails, at.missed
    up, one, six = d - np.uint64(1), np.uint64(1), np.uint64(6)
    kept = np.uint64(0)
    for k in range(at.size[up]):
        z, f = rows[up, k], fails[up, k]
        goes = (go[word_row, z >> six] >> (z & np.uint64(63))) & one
        before = (f >> slot) & one
        if turn == 0:
            rows[d, k], origin[d, k] = z, k
            fails[d, k] = f | ((one - goes) << slot)
            count[d, k] = count[up, k] + ((one - goes) & (one - before))
        elif goes > before:
            rows[d, kept], origin[d, kept], fails[d, kept], count[d, kept] = z, k, f, count[up, k]
            kept += one
    at.size[d] = at.size[up] if turn == 0 else kept


@inlined
def _fill(at, d, weights, failed, mass, value):
    """A leaf's level: what one present and one absent player gets for each background row."""
    rows, count, gains, losses = at.rows, at.missed, at.present, at.absent
    q = np.uint64(0)
    while failed != 0:
        q += np.uint64(1)
        failed &= failed - np.uint64(1)
    for k in range(at.size[d]):
        worth, p = value * mass[rows[d, k]], count[d, k]
        gains[d, k] = worth * weights[p, q]
        losses[d, k] = -worth * weights[q, p]


@inlined
def _leave(at, d, slot, turn):
    """Hand level d over to the one above; what the player asked there gets by it."""
    origin, fails, gains, losses = at.origin, at.fails, at.present, at.absent
    up, one = d - np.uint64(1), np.uint64(1)
    share = 0.0
    for k in range(at.size[d]):
        o = origin[d, k]
        gains[up, o] += gains[d, k]
        losses[up, o] += losses[d, k]
        if turn == 1:
            share += losses[d, k]
        elif turn == 0:
            share += gains[d, k] * np.float64(((fails[d, k] ^ fails[up, o]) >> slot) & one)
    return share


@inlined
def _close(deep, at, level, down_to, outputs, output, phi):
    """Hand each level that is done with to the one above, and its share to the player asked there; the level left."""
    while level >= down_to and level > 0:
        p = np.uint64(deep.parent[at.node[level]])
        place = np.uint64(deep.owner[p]) * outputs + output
        phi[place] += _leave(at, level, np.uint64(deep.slot[p]), at.turn[level])
        level -= np.uint64(1)
    return level


@inlined
def _begin(at, background):
    """At the root, every background row is there and nobody has failed."""
    at.size[0], at.failed[0] = background, 0
    for z in range(at.size[0]):
        at.rows[0, z], at.fails[0, z], at.missed[0, z] = z, 0, 0


@inlined
def _turn(deep, at, n, d):
    """Note at level d which players x fails at node n, and how it came there; gives the slot asked by n's parent."""
    one = np.uint64(1)
    p = np.uint64(deep.parent[n])
    slot = np.uint64(deep.slot[p])
    before = at.failed[d - one]
    astray = at.left[d - one] != (n == p + one)
    at.failed[d] = before | (np.uint64(astray) << slot)
    at.turn[d] = 2 if (before >> slot) & one else np.int64(astray)
    return slot


WALK = (DEEP_TYPE, TESTS_TYPE, GROUPS_TYPE, TESTS_TYPE, int64, FLOATS, SUMS_TYPE, MATRIX, LEVELS_TYPE, FLOATS)


@compiled(void(*WALK, int64))
def _walk(deep, tests, groups, group_tests, tree, x, sums, weights, at, phi, o):
    output, outputs, one = np.uint64(sums.output[tree] + o), np.uint64(sums.outputs), np.uint64(1)
    n, end = np.uint64(deep.start[tree]), np.uint64(deep.start[tree + 1])
    level = np.uint64(0)  # the deepest that is open
    _begin(at, deep.weights.shape[0])
    while n < end:
        d, role = np.uint64(deep.depth[n]), deep.role[n]
        level = _close(deep, at, level, d, outputs, output, phi)
        at.node[d] = n
        if d > 0:
            slot = _turn(deep, at, n, d)
            if role != 1:
                _enter(at, d, deep.bits, np.uint64(deep.row[n]), slot, at.turn[d])
                if at.size[d] == 0:
                    n += np.uint64(deep.size[n])
                    continue
        if role == 1:
            if o == 0:
                _add_groups(deep, groups, group_tests, sums, n, at.failed[d], x, phi)
            n += np.uint64(deep.size[n])
            continue
        level = d
        if role == 0:
            at.left[d] = goes_left(tests, n, x[tests.column[n]])
            for k in range(at.size[d]):
                at.present[d, k], at.absent[d, k] = 0.0, 0.0
        else:
            _fill(at, d, weights, at.failed[d], deep.weights, sums.value[n, output])
        n += one
    _close(deep, at, level, one, outputs, output, phi)


@compiled(void(*WALK))
def walk_tree(deep, tests, groups, group_tests, tree, x, sums, weights, at, phi):
    """Add the tree's values of row x to its flat values; `weights` are Shapley's, by players present and absent."""
    for o in range(sums.width):
        _walk(deep, tests, groups, group_tests, tree, x, sums, weights, at, phi, o)
