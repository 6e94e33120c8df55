"""Test metrics with bootstrap intervals: every metric is a function of how often each test row was drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from explainer.attribution.model import BoolArray
from explainer.records import FloatArray

RESAMPLES = 1000
SEED = 20
AUC = "AUC"
DECLINED = "Share declined at the threshold"
COST = "Mean cost at the threshold"
R2 = "R² (share of variance explained)"
Metric = Callable[[FloatArray], FloatArray]  # counts (resamples, rows) -> values (resamples,)


@dataclass(frozen=True, slots=True)
class Scored:
    """Truth (0 or 1, or a number) and prediction (P of the last class, or a number) of some rows, each (rows,)."""

    truth: FloatArray
    predicted: FloatArray

    def of(self, inside: BoolArray) -> Scored:
        return Scored(self.truth[inside], self.predicted[inside])


@dataclass(frozen=True, slots=True)
class Measured:
    """A value on the rows and its 95 % interval."""

    name: str
    value: float
    low: float
    high: float


def value(metric: Metric, rows: int) -> float:
    """The metric with every row drawn once."""
    return float(metric(np.ones((1, rows)))[0])


def intervals(metrics: Mapping[str, Metric], rows: int) -> list[Measured]:
    """Each metric on the rows as they are, and its percentile bootstrap interval (Efron 1979)."""
    counts = np.random.default_rng(SEED).multinomial(rows, np.full(rows, 1.0 / rows), size=RESAMPLES)
    found = []
    for name, metric in metrics.items():
        low, high = np.percentile(metric(counts.astype(np.float64)), [2.5, 97.5])
        found.append(Measured(name, value(metric, rows), float(low), float(high)))
    return found


def classification(scored: Scored, threshold: float, costs: tuple[float, float]) -> dict[str, Metric]:
    """Metrics of P(bad); `costs` are those of a bad loan that is granted and of a good one that is declined."""
    truth, bad = scored.truth, scored.predicted
    declined = (bad >= threshold).astype(np.float64)
    cost = costs[0] * truth * (1.0 - declined) + costs[1] * (1.0 - truth) * declined
    return {
        AUC: _auc(truth, bad),
        "Brier score": _mean((bad - truth) ** 2),
        "Mean P(bad) less share of bad loans": _mean(bad - truth),
        "Accuracy at the threshold": _mean((declined == truth).astype(np.float64)),
        DECLINED: _mean(declined),
        COST: _mean(cost),
    }


def regression(scored: Scored) -> dict[str, Metric]:
    """Metrics of a predicted number."""
    truth, error = scored.truth, scored.predicted - scored.truth
    squared = _mean(error**2)

    def explained(counts: FloatArray) -> FloatArray:
        spread = _mean(truth**2)(counts) - _mean(truth)(counts) ** 2
        return 1.0 - squared(counts) / spread

    return {
        R2: explained,
        "Mean absolute error": _mean(np.abs(error)),
        "Root mean squared error": lambda counts: np.sqrt(squared(counts)),
        "Mean prediction less mean truth": _mean(error),
    }


def calibration(scored: Scored, bins: int = 5) -> list[tuple[int, float, float]]:
    """(rows, mean P(bad), share of bad loans) in `bins` groups of nearly equal size by rising P(bad)."""
    groups = np.array_split(np.argsort(scored.predicted, kind="stable"), bins)
    return [(len(g), float(scored.predicted[g].mean()), float(scored.truth[g].mean())) for g in groups]


def _mean(values: FloatArray) -> Metric:
    def mean(counts: FloatArray) -> FloatArray:
        averages: FloatArray = counts @ values / counts.sum(axis=1)
        return averages

    return mean


def _auc(truth: FloatArray, score: FloatArray) -> Metric:
    """Share of (bad, good) pairs that the score orders rightly, ties half (Mann and Whitney 1947)."""
    bad, good = np.flatnonzero(truth == 1.0), np.flatnonzero(truth == 0.0)
    ahead = score[bad][:, None] - score[good][None, :]
    wins = (ahead > 0) + 0.5 * (ahead == 0)

    def auc(counts: FloatArray) -> FloatArray:
        pairs = counts[:, bad].sum(axis=1) * counts[:, good].sum(axis=1)
        won = ((counts[:, bad] @ wins) * counts[:, good]).sum(axis=1)
        area: FloatArray = won / pairs
        return area

    return auc
