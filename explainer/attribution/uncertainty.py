"""How far a sampled mean may be off: standard errors of stratified means that stay honest when samples are few."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.records import FloatArray


@lru_cache(maxsize=64)
def two_sided(confidence: float) -> float:
    """Standard normal quantile z such that |Z| <= z with probability `confidence`."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + confidence / 2))


def honest(standard_error: FloatArray, degrees: FloatArray, confidence: float) -> FloatArray:
    """The standard error widened so that z times it is the half-width of Student's interval at `confidence`.

    `degrees` are the degrees of freedom of the variance estimate (at least 1), of the same shape or broadcast to it.
    """
    z = two_sided(confidence)
    return np.asarray(standard_error * np.maximum(_student(np.clip(degrees, 1.0, 1e6), confidence, z) / z, 1.0))


MANY = 50.0  # degrees of freedom from which on Student's quantile is expanded: right to 2e-8, a hundred times quicker


def _student(degrees: FloatArray, confidence: float, z: float) -> FloatArray:
    """Two-sided quantile of Student's distribution; Abramowitz and Stegun 26.7.5 for many degrees of freedom."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    quantile = np.asarray(z + sum(term / degrees ** (n + 1) for n, term in enumerate(terms)))
    few = degrees < MANY
    if few.any():
        from scipy.special import stdtrit

        quantile[few] = stdtrit(degrees[few], 0.5 + confidence / 2)
    return quantile


DRAWS = 400  # draws, and
ROUNDS = 4  # rounds, below which the variance within strata is not trusted alone


def enough(strata: int) -> int:
    """Rounds from which on the variance within strata is trusted; benchmarks/attribution/sampling.py measures it."""
    return max(ROUNDS, ceil(DRAWS / strata))


class StratifiedMean:
    """Running means and variances of arrays (strata, ...); every stratum gets one draw in every round, or every other.

    `rounds` are those that all strata have had; some may have had draws beyond them.
    """

    def __init__(self, weights: FloatArray, shape: tuple[int, ...], possible: BoolArray | None = None) -> None:
        """`possible` says which of the first axis of a draw may be other than zero; their errors get a floor."""
        self.rounds = 0
        self._possible = possible
        self._weights = weights.reshape(-1, *(1 for _ in shape))
        self._draws = np.zeros_like(self._weights)
        self._mean = np.zeros((len(weights), *shape))
        self._squares = np.zeros((len(weights), *shape))

    def add(self, draws: FloatArray) -> None:
        """One draw for every stratum, shape (strata, ...), by Welford's update."""
        self.rounds += 1
        self.add_to(slice(None), draws)

    def add_to(self, which: slice | IntArray, draws: FloatArray) -> None:
        """One draw beyond the rounds for the strata `which`, chosen without looking at what was drawn."""
        self._draws[which] += 1
        off = draws - self._mean[which]
        self._mean[which] += off / self._draws[which]
        self._squares[which] += off * (draws - self._mean[which])

    def mean(self) -> FloatArray:
        return np.asarray((self._weights * self._mean).sum(axis=0))

    def standard_error(self, confidence: float) -> FloatArray:
        """Standard error of `mean`, widened by `honest`; NaN where nothing is known: one round of one stratum.

        The variance within strata counts, with the degrees of freedom that Satterthwaite (1946) gives. Before
        there are `enough` rounds a rare large draw may be missed altogether, so the spread between strata stands in
        where it is larger: collapsed strata err on the side of a wider interval (Cochran 1977, section 5A.12).
        """
        trusted = self.rounds >= enough(len(self._mean))
        error = self._within(confidence) if self.rounds >= 2 else np.full(self._mean.shape[1:], np.nan)
        if not trusted:
            error = np.asarray(np.fmax(error, self._between(confidence)))
        return error if self._possible is None else np.hypot(error, self._floor(self._possible))

    def _floor(self, possible: BoolArray) -> FloatArray:
        """As if each possible entry had one more draw, of the size that draws have on average (root mean square).

        What is rarely other than zero may be zero in every draw, which proves little while they are few.
        """
        draws = float(self._draws.sum())
        floor = np.zeros(self._mean.shape[1:])
        if possible.any() and draws:
            squares = (self._squares + self._draws * self._mean**2).sum(axis=0)
            floor[possible] = np.sqrt(squares[possible].mean(axis=0) / draws) / draws
        return floor

    def _within(self, confidence: float) -> FloatArray:
        parts = self._weights**2 * self._squares / (self._draws - 1) / self._draws
        variance = parts.sum(axis=0)
        fourth = (parts**2 / (self._draws - 1)).sum(axis=0)
        known = fourth > 0
        degrees = np.where(known, variance**2 / np.where(known, fourth, 1.0), 1.0)
        return honest(np.sqrt(variance), degrees, confidence)

    def _between(self, confidence: float) -> FloatArray:
        strata = len(self._mean)
        if strata < 2:
            return np.full(self._mean.shape[1:], np.nan)
        parts = (self._weights * (self._mean - self.mean())) ** 2 * (strata / (strata - 1))
        return honest(np.sqrt(parts.sum(axis=0)), np.asarray(strata - 1.0), confidence)
