"""Games that lie close to a link of a sum of trees and whose Shapley values are known: what they leave is sampled.

For one background row let L be the log-odds of a coalition, or a linear part of them, and l the additive game of L's
own Shapley values, which the leaves between two rows give exactly. The known game is g(A) + b (L - l): g close to the
link, A the log-odds made additive, b a mean slope. L - l has no Shapley values, so those of g(A) remain. With g a sum
of sines, g(A) is a sum of products of one factor for each player, and the Shapley value of a product is an integral of
a polynomial (Owen 1972), which Gauss's rule gives to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, pi

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.sampled.blocks import Held
from explainer.records import FloatArray

CLOSE = 9.2  # the sines are within e**-CLOSE of the logistic function: 1e-4; the values are exact for them, not for it
STEPS = 10  # points between two rows at which the link's slope is taken


@dataclass(frozen=True, slots=True)
class Bent:
    """The known game of each background row (z) against one row, for k outputs and r margins.

    `answers` are Control.seen's: the k outputs and then the r margins.
    """

    answers: Callable[[BoolArray, IntArray, IntArray], FloatArray]
    start: FloatArray  # (z, k) log-odds of the background rows
    additive: FloatArray  # (z, features, k) the additive log-odds
    linear: FloatArray  # (z, features, k) Shapley values of L
    part: FloatArray  # (z, k, r) L = part . margins
    slope: FloatArray  # (z, k)
    probability: bool  # else log-odds are asked for, and g is A itself

    def seen(self, known: BoolArray, roles: IntArray, places: IntArray) -> FloatArray:
        return self.answers(known, roles, places)

    def values(self, places: IntArray) -> FloatArray:
        """Shapley values of g(A), (rows, features, k)."""
        worth = self.additive[places]
        if not self.probability:
            return worth
        games, features, outputs = worth.shape
        flat = worth.transpose(0, 2, 1).reshape(-1, features)
        found = curved(self.start[places].reshape(-1), flat, self._reach())
        return np.ascontiguousarray(found.reshape(games, outputs, features).transpose(0, 2, 1))

    def left(self, seen: FloatArray, places: IntArray, held: Held) -> FloatArray:
        """D of the outputs less D of the known game, (pairs, rows, k)."""
        outputs = self.start.shape[1]
        apart = seen[0] - seen[1]
        straight = np.einsum("pzr,zkr->pzk", apart[:, :, outputs:], self.part[places])
        bent_off = straight - self._differences(self.linear, places, held)
        known = self._differences(self.additive, places, held)
        if self.probability:
            total = self.additive[places].sum(axis=1)
            known = curved_differences(self.start[places] + total / 2, known / 2, self._reach())
        return np.asarray(apart[:, :, :outputs] - known - self.slope[places] * bent_off)

    def _differences(self, worth: FloatArray, places: IntArray, held: Held) -> FloatArray:
        """D of the additive game in which each feature is `worth`."""
        return np.asarray(2 * held(worth[places]) - worth[places].sum(axis=1))

    def _reach(self) -> float:
        """A bound of the additive log-odds' size, in steps of four so that rows share their frequencies."""
        largest = float((np.abs(self.start) + np.abs(self.additive).sum(axis=1)).max(initial=0.0))
        return 4.0 * ceil(largest / 4.0)


def bent(
    ends: tuple[FloatArray, FloatArray], log_odds: tuple[FloatArray, FloatArray], shares: FloatArray, part: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`additive`, `linear` and `slope` of Bent from the trees' margins.

    `ends` are the margins of the row (r,) and of the background rows (z, r), `log_odds` theirs (k,) and (z, k), and
    `shares` (z, features, r) the Shapley values of the margins.
    """
    linear = np.einsum("zfr,zkr->zfk", shares, part)
    whole = np.einsum("zr,zkr->zk", ends[0] - ends[1], part)
    due = log_odds[0] - log_odds[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = due / whole
    scale = np.where((scale > 0.5) & (scale < 2.0), scale, 1.0)
    between = log_odds[1] + ((np.arange(STEPS) + 0.5) / STEPS)[:, None, None] * due
    slope = (0.25 / np.cosh(between / 2) ** 2).mean(axis=0)
    return linear * scale[:, None], linear, slope


def _sines(reach: float) -> tuple[float, FloatArray]:
    """A step h and weights c such that 1/2 + sum c_n sin((n + 1/2) h t) is the logistic function of t, |t| <= reach.

    It is the midpoint rule for tanh's Fourier integral, whose errors are tanh's images, 2 pi / h apart.
    """
    step = 2 * pi / (reach + CLOSE)
    halves = np.arange(ceil(CLOSE / pi / step)) + 0.5
    return step, np.asarray(step / np.sinh(pi * step * halves))


def curved(start: FloatArray, worth: FloatArray, reach: float) -> FloatArray:
    """Shapley values (games, features) of the sines of start + sum of `worth` (games, features) over a coalition.

    Each sine is the imaginary part of a product of one factor u of modulus one for each player, whose value is the
    integral over t of (u - 1) times the others' 1 - t + t u. At 1 - t these are u times their conjugates at t.
    """
    step, weight = _sines(reach)
    frequency = step * (np.arange(len(weight)) + 0.5)
    off = np.exp(1j * worth.T[:, :, None] * frequency) - 1  # (features, games, sines)
    summed = np.zeros_like(off)
    for at, share in zip(*_gauss(int((worth != 0).sum(axis=1).max(initial=0))), strict=True):
        factors = 1 + at * off
        summed += share * np.multiply.reduce(factors, axis=0) / factors
    summed *= off
    first = weight * np.exp(1j * frequency * start[:, None])
    last = weight * np.exp(1j * frequency * (start + worth.sum(axis=1))[:, None])
    return np.ascontiguousarray((first * summed - last * summed.conj()).imag.sum(axis=2).T)


def curved_differences(middle: FloatArray, half: FloatArray, reach: float) -> FloatArray:
    """Sines at middle + half less those at middle - half; shapes (z, k) and (pairs, z, k)."""
    step, weights = _sines(reach)
    doubled, here = 2 * np.cos(step * half), np.sin(step / 2 * half)
    before, found = -here, np.zeros_like(half)
    for n, weight in enumerate(weights):
        found += 2 * weight * np.cos(step * (n + 0.5) * middle) * here
        before, here = here, doubled * here - before
    return found


@lru_cache(maxsize=128)
def _gauss(players: int) -> tuple[FloatArray, FloatArray]:
    """The nodes below one half, with their weights, of a rule on 0..1 that is exact for products of so many players.

    The number of all nodes is even, so that one half, where a factor may vanish, is not among them.
    """
    count = max(ceil(players / 2), 1)
    nodes, weights = np.polynomial.legendre.leggauss(count + count % 2)
    below = nodes < 0
    return (nodes[below] + 1) / 2, weights[below] / 2
