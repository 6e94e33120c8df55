"""A weighted background as the rows it stands for, since percentiles and frequencies count rows."""

from __future__ import annotations

import numpy as np

from explainer.attribution.ports import Background
from explainer.records import FloatArray

MOST_ROWS = 1_000_000


def repeated(background: Background) -> FloatArray:
    """Every distinct row as often as its weight says, (n, features), n the smallest number that weights divide.

    Raises ValueError when the weights are not multiples of 1/n for any n up to a million.
    """
    weights = background.weights / background.weights.min()
    for least in range(1, 1001):
        counts = np.rint(weights * least)
        total = counts.sum()
        if total > MOST_ROWS:
            break
        if np.allclose(counts / total, background.weights, rtol=0, atol=1e-9 / len(weights)):
            return np.repeat(background.rows, counts.astype(np.int64), axis=0)
    raise ValueError("The background's weights are not multiples of 1/n; give each row its number of occurrences / n.")
