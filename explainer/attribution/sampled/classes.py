"""How many pairs of complementary coalitions each size gets; small classes are taken whole."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.records import FloatArray

FLATTEN = 0.4  # residuals grow towards the middle sizes about like (s (m - s))**0.4: docs/decisions/sampling.md


@dataclass(frozen=True, slots=True)
class Classes:
    """Class j holds the pairs {S, complement} with |S| = size[j] <= players / 2; `sizes` it stands for: 1 or 2."""

    players: int
    size: IntArray
    sizes: IntArray
    pairs: IntArray  # how many are evaluated
    whole: BoolArray  # all of them are
    every: FloatArray  # how many there are

    @property
    def weight(self) -> FloatArray:
        """Scales x (D - fit) to its part of the Shapley values, with x = 1_S - s/m and D = v(S) - v(rest)."""
        return np.asarray(self.sizes * self.players / (2 * self.size * (self.players - self.size)))


def classes(players: int, pairs: int) -> Classes:
    """Divide `pairs` (at least players / 2) among the sizes of two or more players; every size gets at least one.

    A sampled pair of size s adds to the variance of all values together in proportion to m / (s (m - s)), so that the
    optimal share is proportional to its root (Musco and Witter 2024 derive it as leverage scores) times the residual's
    size. A class whose share reaches its number of pairs is taken whole.
    """
    size = np.arange(1, players // 2 + 1)
    sizes = np.where(2 * size < players, 2, 1)
    spread = size * (players - size)
    shares = sizes * np.sqrt(players / spread) * spread**FLATTEN
    every = np.array([float(comb(players, int(s)) // (1 if 2 * s < players else 2)) for s in size])
    whole = _whole(shares, every, pairs)
    given = np.where(whole, every, 0.0)
    if not whole.all():
        given[~whole] = _rounded(shares[~whole], pairs - given.sum())
    return Classes(players, size, sizes, given.astype(np.int64), whole, every)


def _whole(shares: FloatArray, every: FloatArray, pairs: int) -> BoolArray:
    whole = np.zeros(len(shares), dtype=np.bool_)
    while not whole.all():
        left = pairs - every[whole].sum()
        reached = ~whole & (left * shares / shares[~whole].sum() >= every)
        if not reached.any():
            break
        whole |= reached
    return whole


def _rounded(shares: FloatArray, pairs: float) -> FloatArray:
    """Whole numbers, at least one each, that follow the shares and sum to `pairs` where that leaves enough."""
    exact = pairs * shares / shares.sum()
    given = np.maximum(np.floor(exact), 1.0)
    more = max(int(pairs - given.sum()), 0)
    given[np.argsort(given - exact, kind="stable")[:more]] += 1
    return np.asarray(given)
