"""Tables on which every rule of a tree library is met: missing values, categories, values exactly at thresholds."""

from __future__ import annotations

import numpy as np

from explainer.records import FloatArray

ROWS = 500


def training(seed: int = 0, *, missing: bool = True) -> FloatArray:
    """(ROWS, 6): four columns of tenths, two of categories 0..6 and 0..39; a seventh of the values missing."""
    r = np.random.default_rng(seed)
    x = r.normal(size=(ROWS, 6)).round(1)
    x[:, 4], x[:, 5] = r.integers(0, 7, ROWS), r.integers(0, 40, ROWS)
    if missing:
        x[r.random(x.shape) < 0.15] = np.nan
    return x


def target(x: FloatArray) -> FloatArray:
    full = np.nan_to_num(x)
    return np.asarray(full[:, 0] * full[:, 1] + full[:, 4] % 3 + full[:, 5] % 5)


def probing(x: FloatArray, seed: int = 1, *, missing: bool = True) -> FloatArray:
    """The training rows (values at borders of bins) and 2,000 others, with zeros and categories never seen."""
    r = np.random.default_rng(seed)
    other = r.normal(size=(2000, x.shape[1]))
    other[:, 4], other[:, 5] = r.integers(0, 12, 2000), r.integers(0, 90, 2000)
    other[r.random(other.shape) < 0.05] = 0.0
    if missing:
        other[r.random(other.shape) < 0.1] = np.nan
    return np.vstack([x, other])


def at_thresholds(x: FloatArray, thresholds: FloatArray, columns: FloatArray) -> FloatArray:
    """Copies of a row with one column set exactly to a threshold of the model, where that is a number."""
    columns, thresholds = columns[np.isfinite(thresholds)], thresholds[np.isfinite(thresholds)]
    rows = np.tile(x[0], (len(thresholds), 1))
    rows[np.arange(len(thresholds)), columns] = thresholds
    return rows
