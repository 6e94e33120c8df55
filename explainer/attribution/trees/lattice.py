"""The lattice of all coalitions of a few players: from Moebius coefficients to values, and to Shapley values.

Coalition s holds player i where bit i of s is set. Everything runs over arrays of 2^players numbers in the order of s.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numba import float64, int64, void

from explainer.attribution.trees.decide import FLOATS, MATRIX
from explainer.attribution.trees.differences import BETWEEN_TYPE, MOST
from explainer.attribution.trees.jit import compiled
from explainer.records import FloatArray

BITS = 8  # players within a block, which stays in the processor's nearest cache
BLOCK = 1 << BITS
CUBE = float64[:, :, ::1]


@cache
def coalition_weights() -> FloatArray:
    """c[m, h, s]: weight of the value of a coalition of m players, h of them from BITS on and the rest in mask s.

    phi_i is the sum over S without i of w(|S|) (u(S + i) - u(S)) with w(s) = s! (m-1-s)! / m!, and c(|S|) =
    w(|S| - 1) + w(|S|), where w is 0 outside 0 .. m - 1.
    """
    ones = np.bitwise_count(np.arange(BLOCK, dtype=np.int64)).astype(np.int64)
    weights = np.zeros((MOST + 1, MOST - BITS + 1, BLOCK))
    for m in range(1, MOST + 1):
        sizes = np.zeros(MOST + 1)
        sizes[[0, m]] = 1 / m
        sizes[1:m] = [1 / ((m - 1) * math.comb(m - 2, s - 1)) for s in range(1, m)]
        for high in range(max(m - BITS, 0) + 1):
            weights[m, high] = sizes[high + ones]
    return weights


@compiled(int64(int64))
def _ones(word):
    count = 0
    while word != 0:
        count += 1
        word &= word - 1
    return count


@compiled(void(BETWEEN_TYPE, MATRIX, MATRIX))
def expand(found, value, v):
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


@compiled(void(FLOATS))
def _zeta_of_three(v):
    a, b, c, d, e, f, g, h = v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
    b, d, f, h = b + a, d + c, f + e, h + g
    c, d, g, h = c + a, d + b, g + e, h + f
    v[1], v[2], v[3], v[4], v[5], v[6], v[7] = b, c, d, e + a, f + b, g + c, h + d


@compiled(void(int64, FLOATS))
def zeta(players, v):
    """Sum over subsets, in place: coefficients become the values of all coalitions."""
    first = 0
    if players >= 3:
        first = 3
        for s in range(0, v.shape[0], 8):
            _zeta_of_three(v[s : s + 8])
    for b in range(first, players):
        step = 1 << b
        for start in range(0, v.shape[0], 2 * step):
            without, with_b = v[start : start + step], v[start + step : start + 2 * step]
            for s in range(step):
                with_b[s] += without[s]


@compiled(void(BETWEEN_TYPE, MATRIX, FLOATS, MATRIX))
def fill(found, value, base, v):
    """Margins v (margins, 2^players) of all coalitions of the players that decide between two rows."""
    for k in range(v.shape[0]):
        v[k] = 0.0
        v[k, 0] = base[k]
    expand(found, value, v)
    for k in range(v.shape[0]):
        zeta(found.counts[1], v[k])


@compiled(float64(FLOATS, int64))
def _total(u, size):
    """Sum of the first `size` numbers, a power of two, by halves; they are used up."""
    while size > 1:
        size >>= 1
        for s in range(size):
            u[s] += u[size + s]
    return u[0]


@compiled(void(FLOATS, int64, int64, FLOATS))
def _held(u, players, first, phi):
    """phi[first + i]: the sum of u over the coalitions that hold player i; u is used up."""
    size = 1 << players
    for i in range(players - 1, -1, -1):
        size >>= 1
        for s in range(size):
            u[s] += u[size + s]
        phi[first + i] = _total(u[size:], size)


@compiled(void(int64, FLOATS, CUBE, FLOATS))
def shapley(players, u, weights, phi):
    """phi[i], i < players: Shapley values of the game u (2^players,); `weights` are those of `coalition_weights`.

    phi_i is the sum of c(S) u(S) over S with i, less the sum of w(|S|) u(S) over all S, which is what makes the
    values sum to u(all) - u(none).
    """
    within = min(players, BITS)
    size, blocks = 1 << within, 1 << (players - within)
    block, gathered, totals = np.empty(size), np.zeros(size), np.empty(blocks)
    for h in range(blocks):
        given, weight = u[h * size : (h + 1) * size], weights[players, _ones(h)]
        for s in range(size):
            block[s] = given[s] * weight[s]
            gathered[s] += block[s]
        totals[h] = _total(block, size)
    _held(gathered, within, 0, phi)
    _held(totals, players - within, within, phi)
    everywhere = u[0] - u[u.shape[0] - 1]
    for i in range(players):
        everywhere += phi[i]
    for i in range(players):
        phi[i] -= everywhere / players
