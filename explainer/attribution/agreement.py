"""How far two attributions of one row agree: leading features, signs and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class Agreement:
    """`leading` of the top features are shared; `signs` of those have one sign; `rank_correlation` is Kendall's tau-b
    over all features' values, None when one side is constant."""

    top: int
    leading: float
    signs: float | None
    rank_correlation: float | None


def agreement(first: Sequence[float], second: Sequence[float], top: int = 5) -> Agreement:
    """Compare two attributions of the same d features (Krishna et al. 2022, 'The Disagreement Problem', measures)."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    top = min(top, a.size)
    shared = sorted(_leading(a, top) & _leading(b, top))
    signs = float(np.mean(np.sign(a[shared]) == np.sign(b[shared]))) if shared else None
    return Agreement(top, len(shared) / top, signs, _kendall(a, b))


def _leading(values: FloatArray, top: int) -> set[int]:
    return set(np.argsort(-np.abs(values), kind="stable")[:top].tolist())


def _kendall(a: FloatArray, b: FloatArray) -> float | None:
    i, j = np.triu_indices(a.size, 1)
    x, y = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    scale = np.sqrt(np.count_nonzero(x) * np.count_nonzero(y))
    return None if scale == 0 else float(np.sum(x * y) / scale)
