"""Exponential and logarithm in plain arithmetic: unlike the library's, a loop of them runs in vector registers.

x = k ln 2 + r with whole k and |r| <= ln 2 / 2; e^r by its series to r^12, whose rest is below 2e-16 of it, and 2^k by
its bits. x = 2^k m with m near 1 has the logarithm k ln 2 + 2 artanh f, f = (m - 1) / (m + 1), by its series to f^21.
No e^x is off by a part in 10^15, no logarithm by 10^-15 of the larger of 1 and itself, which is what the tests prove.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import float64, int64, void

from explainer.attribution.trees.decide import FLOATS, MATRIX
from explainer.attribution.trees.jit import compiled, inlined
from explainer.records import FloatArray

END = 708.0  # e^x is a normal number between -END and END, and is held at its value there beyond
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # together ln 2; k times the first is exact
HALF_ROOT = 0x3FE6A09E667F3BCD  # the bits of the root of 1/2
ROUNDING = 6755399441055744.0  # 1.5 * 2^52: a number added to it is rounded, to the integer in the lowest bits
C12, C11, C10, C9 = 1 / 479001600, 1 / 39916800, 1 / 3628800, 1 / 362880
C8, C7, C6, C5, C4, C3 = 1 / 40320, 1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6


@inlined
def exponential(x):
    """e^x; NaN stays NaN."""
    x = END if x > END else x
    x = -END if x < -END else x
    shifted = x * LOG2_E + ROUNDING
    k = shifted - ROUNDING
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = (((C12 * r + C11) * r + C10) * r + C9) * r + C8
    p = ((((p * r + C7) * r + C6) * r + C5) * r + C4) * r + C3
    p = ((p * r + 0.5) * r + 1.0) * r + 1.0
    return p * np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@compiled(void(FLOATS, FLOATS))
def _raise(one, top):
    for s in range(top.shape[0]):
        top[s] = top[s] if one[s] < top[s] else one[s]


@compiled(void(FLOATS, FLOATS, FLOATS))
def _add_odds(one, other, out):
    for s in range(out.shape[0]):
        out[s] += exponential(one[s] - other[s])


@inlined
def logarithm(x):
    """ln x of a normal positive number; NaN stays NaN."""
    bits = np.float64(x).view(np.int64)
    upper = (bits - HALF_ROOT) >> 52  # how often 2 must be taken out for m between the root of 1/2 and that of 2
    m = np.int64(bits - (upper << 52)).view(np.float64)
    f = (m - 1.0) / (m + 1.0)
    g = f * f
    p = (((g / 21 + 1 / 19) * g + 1 / 17) * g + 1 / 15) * g + 1 / 13
    p = ((((p * g + 1 / 11) * g + 1 / 9) * g + 1 / 7) * g + 1 / 5) * g + 1 / 3
    k = np.float64(upper)
    return k * LN2_HIGH + (2.0 * f + (2.0 * f * (p * g) + k * LN2_LOW)) + (x - x)  # NaN is handed on


def exponentials(x: FloatArray) -> FloatArray:
    """e^x of each number (n,)."""
    out = np.empty(len(x))
    _exponentials(np.ascontiguousarray(x), out)
    return out


def logarithms(x: FloatArray) -> FloatArray:
    """ln x of each number (n,)."""
    out = np.empty(len(x))
    _logarithms(np.ascontiguousarray(x), out)
    return out


@compiled(void(FLOATS, FLOATS), unchecked=True)
def _logarithms(x, out):
    for i in range(x.shape[0]):
        out[i] = logarithm(x[i])


@compiled(void(FLOATS, FLOATS), unchecked=True)
def _exponentials(x, out):
    for i in range(x.shape[0]):
        out[i] = exponential(x[i])


@compiled(void(MATRIX, int64, FLOATS), unchecked=True)
def share(v, c, out):
    """Softmax of margins v (classes, n): out[s] = 1 / (1 + sum over k other than c of e^(v[k, s] - v[c, s]))."""
    out[:] = 1.0
    for k in range(v.shape[0]):
        if k != c:
            _add_odds(v[k], v[c], out)
    for s in range(out.shape[0]):
        out[s] = 1.0 / out[s]


@compiled(void(MATRIX, int64, FLOATS), unchecked=True)
def odds(v, c, out):
    """Log-odds of softmax: out[s] = v[c, s] less the logarithm of the sum over k other than c of e^v[k, s]."""
    top, others = np.full(out.shape[0], -np.inf), np.zeros(out.shape[0])
    for k in range(v.shape[0]):
        if k != c:
            _raise(v[k], top)
    for k in range(v.shape[0]):
        if k != c:
            _add_odds(v[k], top, others)
    given = v[c]
    for s in range(out.shape[0]):
        out[s] = given[s] - top[s] - logarithm(others[s])


@compiled(void(FLOATS, float64, FLOATS), unchecked=True)
def squash(v, sign, out):
    """Probabilities of margins: out[s] = 1 / (1 + e^(-sign v[s]))."""
    for s in range(v.shape[0]):
        out[s] = 1.0 / (1.0 + exponential(-sign * v[s]))
