"""Rows such as explanations ask a model about: mixtures of two rows, and neighbours whose features are drawn apart."""

from __future__ import annotations

import numpy as np

from explainer.attribution.maskers import hybrids
from explainer.attribution.model import IntArray
from explainer.records import FloatArray

NEAR = 0.25  # share of features below which a mixture counts as one of the two rows it is made of
CELLS = 4  # LIME draws a number from a quarter of the background's values


def mixtures(real: FloatArray, background: FloatArray, count: int, random: np.random.Generator) -> FloatArray:
    """`count` rows (count, features): some features of a real row, the others of a background row.

    These are the rows that every Shapley method of the house evaluates, but for those that keep nearly all of a row:
    they are hardly told from real ones, so they say little about what a model does with rows that are not.
    """
    d = real.shape[1]
    least = max(1, int(np.ceil(NEAR * d)))
    sizes = random.integers(least, max(least, d - least) + 1, count)
    known = random.random((count, d)).argsort(axis=1) < sizes[:, None]
    rows = real[random.integers(0, len(real), count)]
    return hybrids(rows, background[random.integers(0, len(background), count)], known)


def drawn_apart(background: FloatArray, kinds: IntArray, count: int, random: np.random.Generator) -> FloatArray:
    """`count` rows (count, features), every feature drawn by itself as LIME draws: a category by how often it occurs,
    a number from around the middle of a quarter of the background's values.

    Ribeiro, Singh and Guestrin 2016, in the form of its library's tabular explainer with quartiles.
    """
    columns = [_drawn(column, int(kind), count, random) for column, kind in zip(background.T, kinds, strict=True)]
    return np.column_stack(columns)


def _drawn(column: FloatArray, kind: int, count: int, random: np.random.Generator) -> FloatArray:
    taken = column[random.integers(0, len(column), count)]
    numbers = column[~np.isnan(column)]
    if kind > 0 or len(numbers) == 0:
        return taken
    ends = np.unique(np.quantile(numbers, np.linspace(0, 1, CELLS + 1)))
    cell = np.clip(np.searchsorted(ends, taken, side="left") - 1, 0, max(len(ends) - 2, 0))
    low, high = ends[cell], ends[np.minimum(cell + 1, len(ends) - 1)]
    middle, spread = (low + high) / 2, (high - low) / 4
    noisy = np.clip(random.normal(middle, np.maximum(spread, 1e-300)), low, high)
    whole = bool((numbers == np.round(numbers)).all())
    return np.where(np.isnan(taken), np.nan, np.round(noisy) if whole else noisy)
