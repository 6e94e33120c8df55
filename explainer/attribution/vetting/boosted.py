"""A small surrogate of a model: boosted symmetric trees over binned features, in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainer.attribution.model import IntArray
from explainer.records import FloatArray

BINS = 32  # values of a feature that are told apart, besides a missing one
TREES = 120
DEPTH = 4
RATE = 0.15  # share of each tree's answer that is taken
PRIOR = 5.0  # rows of nothing in every leaf: small leaves say little


@dataclass(frozen=True, slots=True)
class Tree:
    """`features` and `cuts` (depth,): a bin above the cut sets the level's bit; `values` (2**depth,) by all bits."""

    features: IntArray
    cuts: IntArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Predicts one output of the model it was fitted to from coded rows."""

    edges: tuple[FloatArray, ...]
    start: float
    trees: tuple[Tree, ...]

    def predict(self, rows: FloatArray) -> FloatArray:
        """Outputs (n,) for coded rows (n, features)."""
        binned = _binned(rows, self.edges)
        found = np.full(len(rows), self.start)
        for tree in self.trees:
            found += tree.values[_leaves(binned, tree.features, tree.cuts)]
        return found


def fit(rows: FloatArray, outputs: FloatArray) -> Surrogate:
    """Fit to coded rows (n, features) and finite outputs (n,).

    Gradient boosting (Friedman 2001, Annals of Statistics 29) of symmetric trees, squared error: every node of a level
    asks the same question. Nothing is drawn at random.
    """
    edges = tuple(_edges(column) for column in rows.T)
    binned = _binned(rows, edges)
    start = float(outputs.mean())
    left = outputs - start
    trees: list[Tree] = []
    for _ in range(TREES):
        tree = _grow(binned, left)
        left = left - tree.values[_leaves(binned, tree.features, tree.cuts)]
        trees.append(tree)
    return Surrogate(edges, start, tuple(trees))


def _edges(column: FloatArray) -> FloatArray:
    """Upper ends of all bins but the last: every value where they are few, else quantiles."""
    values = np.unique(column[~np.isnan(column)])
    if len(values) <= BINS:
        return (values[1:] + values[:-1]) / 2
    return np.unique(np.quantile(column[~np.isnan(column)], np.linspace(0, 1, BINS + 1)[1:-1]))


def _binned(rows: FloatArray, edges: tuple[FloatArray, ...]) -> IntArray:
    """Bin numbers (features, n); 0 is that of a missing value."""
    found = [
        np.where(np.isnan(c), 0, 1 + np.searchsorted(e, c, side="left")) for c, e in zip(rows.T, edges, strict=True)
    ]
    return np.array(found, dtype=np.int64)


def _leaves(binned: IntArray, features: IntArray, cuts: IntArray) -> IntArray:
    bits = (binned[features] > cuts[:, None]) << np.arange(len(features))[:, None]
    return np.asarray(bits.sum(axis=0), dtype=np.int64)


def _grow(binned: IntArray, left: FloatArray) -> Tree:
    width = BINS + 1
    leaves = np.zeros(binned.shape[1], dtype=np.int64)
    features, cuts = np.zeros(DEPTH, dtype=np.int64), np.zeros(DEPTH, dtype=np.int64)
    for level in range(DEPTH):
        features[level], cuts[level] = np.unravel_index(
            int(_gains(binned, left, leaves, 1 << level).argmax()), (len(binned), width)
        )
        leaves |= (binned[features[level]] > cuts[level]).astype(np.int64) << level
    sums = np.bincount(leaves, left, 1 << DEPTH)
    counts = np.bincount(leaves, minlength=1 << DEPTH)
    return Tree(features, cuts, RATE * sums / (counts + PRIOR))


def _gains(binned: IntArray, left: FloatArray, leaves: IntArray, count: int) -> FloatArray:
    """How much every question (features, bins) would explain, asked in each of `count` leaves."""
    width, (d, n) = BINS + 1, binned.shape
    places = (np.arange(d)[:, None] * count + leaves) * width + binned
    size, shape = d * count * width, (d, count, width)
    sums = np.bincount(places.ravel(), np.broadcast_to(left, (d, n)).ravel(), size).reshape(shape).cumsum(axis=2)
    counts = np.bincount(places.ravel(), minlength=size).reshape(shape).cumsum(axis=2)
    above, more = sums[..., -1:] - sums, counts[..., -1:] - counts
    return np.asarray((sums**2 / (counts + PRIOR) + above**2 / (more + PRIOR)).sum(axis=1))
