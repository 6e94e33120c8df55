"""Are background rows such as other rows of the same model are, or was the background tampered with?

Baniecki and Biecek 2022 ("Manipulating SHAP via Adversarial Data Perturbations") move attributions by changing the
background alone. What was moved lies elsewhere than rows that nobody changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainer.attribution.model import IntArray
from explainer.records import FloatArray

FEWEST = 20  # reference rows below which nothing is said
MOST = 1000  # rows of a side that are compared
ORDERS = 1999  # random assignments of rows to the two sides
RATE = 0.001  # of backgrounds that are as they should be, flagged
EFFECT = 0.25  # largest difference of shares that is no finding, however sure it is


@dataclass(frozen=True, slots=True)
class Shift:
    """The feature that differs most between the two sides: by which share of the rows, and how likely by chance."""

    feature: int
    difference: float
    chance: float

    @property
    def suspicious(self) -> bool:
        return self.chance <= RATE and self.difference > EFFECT


def shift(background: FloatArray, reference: FloatArray, kinds: IntArray, seed: int = 0) -> Shift:
    """Compare coded background rows (n, features) with reference rows (m, features), feature by feature.

    A number by the largest difference of the two cumulative shares (Kolmogorov and Smirnov), a category by half the sum
    of the differences of shares; a missing value is a category of its own. `chance` is how often the feature that
    differs most, in standard deviations of chance, differs as much when rows are assigned to the sides at random
    (Westfall and Young 1993). Features that are moved together and keep their shares are not seen.
    """
    random = np.random.default_rng(seed)
    sides = [_thinned(background), _thinned(reference)]
    rows = np.concatenate(sides)
    signs = np.repeat([1 / len(sides[0]), -1 / len(sides[1])], [len(side) for side in sides])
    orders = np.concatenate([signs[None], random.permuted(np.tile(signs, (ORDERS, 1)), axis=1)])
    columns = zip(rows.T, kinds, strict=True)
    found = np.column_stack([_differences(column, int(kind), orders) for column, kind in columns])
    spread = found[1:].std(axis=0)
    scores = np.where(spread > 0, (found - found[1:].mean(axis=0)) / np.where(spread > 0, spread, 1.0), 0.0)
    feature = int(scores[0].argmax())
    as_much = int((scores[1:].max(axis=1) >= scores[0, feature]).sum())
    return Shift(feature, float(found[0, feature]), (1 + as_much) / (1 + ORDERS))


def _thinned(rows: FloatArray) -> FloatArray:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(np.int64)]


def _differences(column: FloatArray, kind: int, orders: FloatArray) -> FloatArray:
    """The difference of the two sides in one feature for each order of signs (orders, rows)."""
    values, groups = np.unique(np.where(np.isnan(column), -np.inf, column), return_inverse=True)
    shares = orders @ (groups[:, None] == np.arange(len(values)))
    if kind > 0:
        return np.asarray(np.abs(shares).sum(axis=1) / 2)
    return np.asarray(np.abs(shares.cumsum(axis=1)).max(axis=1))
