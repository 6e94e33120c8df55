"""Asks the model about changed rows, in batches, and never more often than it may."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.records import FloatArray
from explainer.reviews.ground import Nearness
from explainer.reviews.moves import Moves

BATCH = 1024  # rows of one question

Predict = Callable[[FloatArray], FloatArray]
Crossed = Callable[[FloatArray], BoolArray]


class Oracle:
    """What the model says of one row with changes. A set of changes is an array of positions in `moves`; -1 is none.

    `crossed` says of scores (n,) which lead to the other outcome: all beyond some threshold, on one side of it.
    Raises ValueError where it says so of all scores or of none.
    """

    def __init__(self, row: FloatArray, moves: Moves, near: Nearness, predict: Predict, crossed: Crossed) -> None:
        self.row, self.moves, self.near = row, moves, near
        self._predict, self.crossed = predict, crossed
        self.evaluations = self.batches = 0
        down, up = crossed(np.array([-np.inf, np.inf]))
        if bool(down) == bool(up):
            raise ValueError("crossed: it must be true on one side of a threshold and false on the other.")
        self.toward = 1.0 if up else -1.0

    def scores(self, sets: IntArray) -> FloatArray:
        """Scores (sets,) of the row with each set of changes (sets, changes)."""
        found = [self._batch(sets[at : at + BATCH]) for at in range(0, len(sets), BATCH)]
        return np.concatenate([*found, np.empty(0)])

    def rows(self, sets: IntArray) -> FloatArray:
        """The changed rows, shape (sets, features)."""
        rows = np.tile(self.row, (len(sets), 1))
        for column in sets.T:
            at = np.flatnonzero(column >= 0)
            rows[at, self.moves.feature[column[at]]] = self.moves.value[column[at]]
        return rows

    def plausible(self, sets: IntArray) -> BoolArray:
        """Which changed rows (sets,) are as near to the background as is usual there, or as the row itself was."""
        return np.asarray(self.near.of(sets) <= self.near.allowed)

    def costs(self, sets: IntArray) -> FloatArray:
        """Distances (sets,) of the changed rows from the row itself."""
        return np.asarray(np.where(sets >= 0, self.moves.part[sets], 0.0).sum(axis=1) / len(self.row))

    def steps(self, sets: IntArray) -> IntArray:
        """Steps of their grids that numbers go in each set (sets,): orders changes that are equally far."""
        return np.asarray(np.where(sets >= 0, self.moves.steps[sets], 0).sum(axis=1))

    def _batch(self, sets: IntArray) -> FloatArray:
        self.evaluations += len(sets)
        self.batches += 1
        return np.asarray(self._predict(self.rows(sets)), dtype=np.float64)
