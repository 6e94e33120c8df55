"""What is ordinary: the ranges and categories that the background shows, and how near its rows are to one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.attribution.model import IntArray
from explainer.records import Feature, FloatArray
from explainer.reviews.distance import Gower, ordinary

MOST = 256  # background rows that a row is compared with
USUAL = 0.95  # share of the background's rows that have a neighbour as near as what is called usual
TINY = 1e-9  # distances that differ by less are equal


@dataclass(frozen=True, slots=True)
class Ground:
    """A background made ready once, for any number of rows.

    `low` and `high` (features,) are the quantiles between which a number is ordinary, NaN for categories or where
    nothing is known; `seen` has the codes of a category that occur, the most common first, empty for numbers.
    """

    gower: Gower
    rows: FloatArray  # (z, features), at most MOST of the background's, on the scale of the distance
    low: FloatArray
    high: FloatArray
    seen: tuple[FloatArray, ...]
    usual: float

    @classmethod
    def of(cls, features: Sequence[Feature], background: FloatArray) -> Ground:
        """Make coded background rows (rows, features) ready; at least one is needed."""
        gower = Gower.of(features, background)
        kept = background[np.linspace(0, len(background) - 1, min(len(background), MOST)).astype(np.int64)]
        limits = [ordinary(c) if n else (np.nan, np.nan) for n, c in zip(gower.numeric, background.T, strict=True)]
        low, high = np.array(limits, dtype=np.float64).reshape(len(limits), 2).T
        seen = [np.empty(0) if n else _occurring(c) for n, c in zip(gower.numeric, background.T, strict=True)]
        placed = gower.placed(kept)
        return cls(gower, placed, low, high, tuple(seen), _usual(gower, placed))


class Nearness:
    """How near the background is to one row, and to that row with some values changed.

    A change is a position in `feature` and `placed` (changes,), its value on the distance's scale. What it adds to each
    distance is found once, so that thousands of changed rows cost little.
    """

    def __init__(self, ground: Ground, row: FloatArray, feature: IntArray, placed: FloatArray) -> None:
        self._ground, self._feature, self._placed = ground, feature, placed
        parts = ground.gower.apart(ground.rows, ground.gower.placed(row), np.arange(len(row)))
        self._parts = np.ascontiguousarray(parts.T)
        self._rows = np.ascontiguousarray(ground.rows.T)
        self._total = parts.sum(axis=1)
        self._added = np.empty((len(feature) + 1, len(parts)))
        self._added[-1] = 0.0  # no change
        self._known = np.zeros(len(feature) + 1, dtype=np.bool_)
        self._known[-1] = True
        self.own = float(self._total.min()) / len(row)
        self.allowed = max(ground.usual, self.own) + TINY

    def of(self, sets: IntArray) -> FloatArray:
        """Distances (sets,) to the nearest background row after the changes `sets` (sets, changes); -1 is none."""
        self._learn(sets)
        total = self._added[sets[:, 0]]
        for column in sets.T[1:]:
            total += self._added[column]
        total += self._total
        return np.asarray(total.min(axis=1) / len(self._parts))

    def _learn(self, sets: IntArray) -> None:
        wanted = np.zeros(len(self._known), dtype=np.bool_)
        wanted[sets] = True
        new = np.flatnonzero(wanted & ~self._known)
        if len(new):
            places = self._feature[new]
            added = self._ground.gower.apart(self._placed[new][:, None], self._rows[places], places[:, None])
            self._added[new] = added - self._parts[places]
            self._known[new] = True


def _occurring(column: FloatArray) -> FloatArray:
    codes, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    return np.asarray(codes[np.argsort(-counts, kind="stable")])


def _usual(gower: Gower, placed: FloatArray) -> float:
    """The distance within which USUAL of the rows have another one; 0 for a single row."""
    count, width = placed.shape
    if count < 2:
        return 0.0
    apart = np.zeros((count, count))
    for j, column in enumerate(placed.T):
        apart += gower.apart(column[:, None], column, np.array(j))
    np.fill_diagonal(apart, np.inf)
    return float(np.quantile(apart.min(axis=1) / width, USUAL, method="higher"))
