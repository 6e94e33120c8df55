"""How far a sampled mean may be off: standard errors of stratified means that stay honest when samples are few."""

from __future__ import annotations

from math import ceil

import numpy as np

from explainer.records import FloatArray


def two_sided(confidence: float) -> float:
    """Standard normal quantile z such that |Z| <= z with probability `confidence`."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + confidence / 2))


def honest(standard_error: FloatArray, degrees: FloatArray, confidence: float) -> FloatArray:
    """The standard error widened so that z times it is the half-width of Student's interval at `confidence`.

    `degrees` are the degrees of freedom of the variance estimate (at least 1), of the same shape or broadcast to it.
    """
    from scipy.special import stdtrit

    quantile = stdtrit(np.clip(degrees, 1.0, 1e6), 0.5 + confidence / 2)
    return np.asarray(standard_error * np.maximum(quantile / two_sided(confidence), 1.0))


DRAWS = 400  # draws, and
ROUNDS = 4  # rounds, below which the variance within strata is not trusted alone


def enough(strata: int) -> int:
    """Rounds from which on the variance within strata is trusted; benchmarks/attribution/sampling.py measures it."""
    return max(ROUNDS, ceil(DRAWS / strata))


class StratifiedMean:
    """Running means and variances of arrays (strata, ...) of which every stratum gets one draw in every round."""

    def __init__(self, weights: FloatArray, shape: tuple[int, ...]) -> None:
        self.rounds = 0
        self._weights = weights.reshape(-1, *(1 for _ in shape))
        self._mean = np.zeros((len(weights), *shape))
        self._squares = np.zeros((len(weights), *shape))

    def add(self, draws: FloatArray) -> None:
        """One draw for every stratum, shape (strata, ...), by Welford's update."""
        self.rounds += 1
        off = draws - self._mean
        self._mean += off / self.rounds
        self._squares += off * (draws - self._mean)

    def mean(self) -> FloatArray:
        return np.asarray((self._weights * self._mean).sum(axis=0))

    def standard_error(self, confidence: float) -> FloatArray:
        """Standard error of `mean`, widened by `honest`; NaN where nothing is known: one round of one stratum.

        The variance within strata counts, with the degrees of freedom that Satterthwaite (1946) gives. Before
        there are `enough` rounds a rare large draw may be missed altogether, so the spread between strata stands in
        where it is larger: collapsed strata err on the side of a wider interval (Cochran 1977, section 5A.12).
        """
        if self.rounds >= enough(len(self._mean)):
            return self._within(confidence)
        within = self._within(confidence) if self.rounds >= 2 else np.float64(np.nan)
        return np.asarray(np.fmax(within, self._between(confidence)))

    def _within(self, confidence: float) -> FloatArray:
        parts = self._weights**2 * self._squares / (self.rounds - 1) / self.rounds
        variance = parts.sum(axis=0)
        fourth = (parts**2).sum(axis=0) / (self.rounds - 1)
        known = fourth > 0
        degrees = np.where(known, variance**2 / np.where(known, fourth, 1.0), 1.0)
        return honest(np.sqrt(variance), degrees, confidence)

    def _between(self, confidence: float) -> FloatArray:
        strata = len(self._mean)
        if strata < 2:
            return np.full(self._mean.shape[1:], np.nan)
        parts = (self._weights * (self._mean - self.mean())) ** 2 * (strata / (strata - 1))
        return honest(np.sqrt(parts.sum(axis=0)), np.asarray(strata - 1.0), confidence)
