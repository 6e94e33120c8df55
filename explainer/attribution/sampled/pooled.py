"""Blocks put together, each counting by its rounds."""

from __future__ import annotations

import numpy as np

from explainer.attribution.sampled.blocks import Block
from explainer.attribution.uncertainty import honest
from explainer.records import FloatArray


class Pooled:
    """Running sums of blocks of unequal length; each is unbiased by itself, so any weights that sum to one are."""

    def __init__(self, features: int, outputs: int) -> None:
        self.rounds = 0.0
        self.evaluations = 0
        self._values, self._variance, self._doubt = (np.zeros((features, outputs)) for _ in range(3))

    def add(self, found: Block, rounds: float) -> None:
        """An unfinished block counts as work alone; one without error, which held all pairs, replaces those before."""
        self.evaluations += found.evaluations
        if not found.finished:
            return
        self.rounds += rounds
        if not found.variance.any():
            self._values = self.rounds * found.values
            self._variance, self._doubt = found.variance, found.doubt
            return
        self._values += rounds * found.values
        self._variance += rounds**2 * found.variance
        self._doubt += rounds**4 * found.doubt

    def values(self) -> FloatArray:
        """Shapley values (features, outputs)."""
        return self._values / self.rounds

    def uncertain(self) -> bool:
        """Whether any error is left."""
        return bool(self._variance.any())

    def standard_error(self, confidence: float) -> FloatArray:
        """Of `values`, widened by `honest` with the degrees of freedom of the residuals (Satterthwaite 1946)."""
        known = self._doubt > 0
        degrees = np.where(known, self._variance**2 / np.where(known, self._doubt, 1.0), 1.0)
        return honest(np.sqrt(self._variance), degrees, confidence) / (self.rounds or 1.0)
