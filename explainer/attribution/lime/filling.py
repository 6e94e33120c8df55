"""Compiled loops that turn uniform variates into neighbours: which cell, then which value within it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from explainer.attribution.model import BoolArray
from explainer.records import FloatArray

CellArray = npt.NDArray[np.int32]

LEAST = 1e-300  # keeps a share of exactly 0 from becoming minus infinity
MOST = 1.0 - 2.0**-53

# Coefficients of the three rational functions of Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37, 1988:
# numerators and denominators from the constant term up, for the middle, the near and the far tail.
MIDDLE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
NEAR = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
FAR = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def compiled(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a kernel of this file: compiled for `signature` on import, unless numba's cache has it already."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(signature, cache=True)(function)
        except RuntimeError as problem:
            if "cannot cache function" not in str(problem):
                raise
            detail = (
                "LIME's kernels cannot be kept, so every start compiles them again; set NUMBA_CACHE_DIR to a folder "
                f"that this process may write ({problem})."
            )
            warnings.warn(detail, RuntimeWarning, stacklevel=2)
            return numba.njit(signature)(function)

    return decorate


@compiled("f8(f8)")
def _middle(away: float) -> float:
    """The quantile of 0.5 + `away`, for `away` up to 0.425."""
    p, q = MIDDLE
    x = 0.180625 - away * away
    above = ((((((p[7] * x + p[6]) * x + p[5]) * x + p[4]) * x + p[3]) * x + p[2]) * x + p[1]) * x + p[0]
    below = ((((((q[7] * x + q[6]) * x + q[5]) * x + q[4]) * x + q[3]) * x + q[2]) * x + q[1]) * x + q[0]
    quantile: float = np.true_divide(away * above, below)  # `/` would test for zero, which keeps the loop scalar
    return quantile


@compiled("f8(f8)")
def _tail(p: float) -> float:
    """The quantile of p, outside the middle."""
    root = math.sqrt(-math.log(p if p < 0.5 else 1.0 - p))
    (a, b), x = (NEAR, root - 1.6) if root <= 5.0 else (FAR, root - 5.0)
    above = ((((((a[7] * x + a[6]) * x + a[5]) * x + a[4]) * x + a[3]) * x + a[2]) * x + a[1]) * x + a[0]
    below = ((((((b[7] * x + b[6]) * x + b[5]) * x + b[4]) * x + b[3]) * x + b[2]) * x + b[1]) * x + b[0]
    return -above / below if p < 0.5 else above / below


@compiled("void(f8[::1], f8[::1])")
def quantiles(shares: FloatArray, out: FloatArray) -> None:
    """Standard normal quantiles of `shares` (n,), kept away from 0 and 1, to about 1e-15 of their size."""
    for i in range(shares.size):
        shares[i] = min(max(shares[i], LEAST), MOST)
    for i in range(shares.size):
        out[i] = _middle(shares[i] - 0.5)
    for i in range(shares.size):
        if abs(shares[i] - 0.5) > 0.425:
            out[i] = _tail(shares[i])


@compiled("void(f8[::1], f8[::1], i4[::1])")
def locate(uniform: FloatArray, upto: FloatArray, cells: CellArray) -> None:
    """Write the cell that each variate (n,) falls into: how many of the cumulative shares `upto` it has reached."""
    cells[:] = 0
    for edge in upto:
        if edge >= 1.0:
            break
        for i in range(cells.size):
            cells[i] += np.int32(uniform[i] >= edge)


@compiled("i8(i4[::1], f8[::1])")
def count(cells: CellArray, draws: FloatArray) -> int:
    """How many of the `cells` (n,) draw a value."""
    drawing = 0
    for i in range(cells.size):
        drawing += draws[cells[i]] > 0.0
    return drawing


@compiled("void(i4[::1], f8[::1], f8[:, ::1], i8, f8[:], b1[::1])")
def fill(cells: CellArray, uniform: FloatArray, table: FloatArray, own: int, rows: FloatArray, same: BoolArray) -> None:
    """Write one feature of n neighbours: values into `rows`, and into `same` whether they are in the row's own cell.

    `uniform` holds a variate for every neighbour whose cell draws a value, in order. `table` (6, cells) is the
    feature's part of `partition.Cells.table`, `own` the position of the row's cell in it, or -1.
    """
    draws, centre, spread, low, mass = table[1], table[2], table[3], table[4], table[5]
    shares, variates = np.full(cells.size, 0.5), np.empty(cells.size)
    taken = 0
    for i in range(cells.size):
        if draws[cells[i]] > 0.0:
            shares[i] = low[cells[i]] + uniform[taken] * mass[cells[i]]
            taken += 1
    quantiles(shares, variates)
    for i in range(cells.size):
        rows[i] = centre[cells[i]] + spread[cells[i]] * variates[i]
        same[i] = cells[i] == own
