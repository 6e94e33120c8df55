"""How good a clone would be that was trained on the answers given so far, and whether the questions look like theft.

No row is kept: what is known of the answers are sums, from which an additive model can be fitted at any time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.records import FloatArray

RIDGE = 1.0
BINS = 8
USUAL_SHARE = 0.05  # of honest rows that count as foreign at most
DEVIATIONS = 4.0  # above which a count is no chance
NEAR = 0.25  # in log odds of the threshold
MOST_STEPS = 0.5  # of the questions that repeat an earlier one but for one or two cells
ENOUGH = 40  # questions before anything is concluded from their pattern


class Basis:
    """Every feature by itself, as the background has it: a category's own column, a number's place among quantiles."""

    def __init__(self, background: FloatArray, kinds: Sequence[int]) -> None:
        shares = np.linspace(0, 1, BINS + 1)[1:-1]
        self._kinds = tuple(kinds)
        self._edges = [
            np.zeros(0) if kind or np.isnan(column).all() else np.unique(np.nanquantile(column, shares))
            for kind, column in zip(kinds, background.T, strict=True)
        ]
        known_cells = ~np.isnan(background)
        counts = np.maximum(known_cells.sum(axis=0), 1)  # a feature that no row knows is 0 everywhere
        self._middle = np.where(known_cells, background, 0.0).sum(axis=0) / counts
        apart = np.where(known_cells, background - self._middle, 0.0)
        self._scale = np.sqrt((apart**2).sum(axis=0) / counts)
        self._scale[self._scale == 0] = 1.0
        known = self._standard(background)
        spread = np.cov(known.T).reshape(len(kinds), len(kinds)) if len(known) > 1 else np.zeros((len(kinds),) * 2)
        self._precision = np.linalg.inv(spread + 0.1 * np.eye(len(kinds)))
        self._known = known
        self._far = float(np.quantile(self._distances(known), 1 - USUAL_SHARE / 4))
        self._alone = math.inf  # with one row no other tells how far apart they usually are
        if len(known) > 1:
            self._alone = float(np.quantile(self._neighbours(known, own=True), 1 - USUAL_SHARE / 4))

    def __call__(self, rows: FloatArray) -> FloatArray:
        columns = [np.ones((len(rows), 1))]
        for kind, edges, column in zip(self._kinds, self._edges, rows.T, strict=True):
            place = np.where(np.isnan(column), -1, column if kind else np.searchsorted(edges, column))
            columns.append(np.asarray(place[:, None] == np.arange(kind or len(edges) + 1), dtype=np.float64))
        return np.hstack(columns)

    def foreign(self, rows: FloatArray) -> int:
        """How many rows lie farther out than nearly all of the background, or farther from all of its rows."""
        known = self._standard(rows)
        far = (self._distances(known) > self._far) | (self._neighbours(known) > self._alone)
        return int(far.sum())

    def _standard(self, rows: FloatArray) -> FloatArray:
        return np.asarray(np.nan_to_num((rows - self._middle) / self._scale), dtype=np.float64)

    def _distances(self, known: FloatArray) -> FloatArray:
        return np.asarray(np.einsum("ij,jk,ik->i", known, self._precision, known), dtype=np.float64)

    def _neighbours(self, known: FloatArray, *, own: bool = False) -> FloatArray:
        """Squared distance to the nearest background row, other than itself where the rows are the background's."""
        apart = (known**2).sum(1)[:, None] + (self._known**2).sum(1) - 2 * known @ self._known.T
        if own:
            np.fill_diagonal(apart, np.inf)
        return np.asarray(np.maximum(apart, 0).min(axis=1), dtype=np.float64)


@dataclass(slots=True)
class Tally:
    """What is known of a principal's questions: counts, and the sums of which a clone is made. Tallies add up."""

    xtx: FloatArray
    xty: FloatArray
    rows: int = 0
    foreign: int = 0
    steps: int = 0
    near: int = 0

    @classmethod
    def empty(cls, width: int) -> Tally:
        return cls(np.zeros((width, width)), np.zeros(width))

    def hear(self, basis: Basis, rows: FloatArray, margins: FloatArray, steps: int = 0) -> None:
        """Coded rows (n, features) were answered with margins (n,): log odds less the threshold's, or a value."""
        x = basis(rows)
        self.xtx += x.T @ x
        self.xty += x.T @ margins
        self.rows += len(rows)
        self.foreign += basis.foreign(rows)
        self.near += int((np.abs(margins) < NEAR).sum())
        self.steps += steps

    def add(self, other: Tally) -> None:
        self.xtx += other.xtx
        self.xty += other.xty
        self.rows += other.rows
        self.foreign += other.foreign
        self.steps += other.steps
        self.near += other.near


def agreement(tally: Tally, basis: Basis, background: FloatArray, margins: FloatArray) -> float:
    """Share of the background that a clone made of the tally decides as the model does, with these margins."""
    weights = np.linalg.solve(tally.xtx + RIDGE * np.eye(len(tally.xty)), tally.xty)
    return float(np.mean((basis(background) @ weights > 0) == (margins > 0)))


def patterns(tally: Tally, margins: FloatArray) -> tuple[str, ...]:
    """What the questions look like: `foreign-rows`, `small-steps`, `near-threshold`; none for honest ones.

    `margins` are the model's on the background: as many honest rows lie near the threshold as there do.
    """
    if tally.rows < ENOUGH:
        return ()
    near = min(0.5, float(np.mean(np.abs(margins) < NEAR)) + 1 / len(margins))
    found = []
    if _above(tally.foreign, tally.rows, USUAL_SHARE):
        found.append("foreign-rows")
    if tally.steps > MOST_STEPS * tally.rows:
        found.append("small-steps")
    if tally.near > 2 * near * tally.rows and _above(tally.near, tally.rows, near):
        found.append("near-threshold")
    return tuple(found)


def small_steps(rows: FloatArray, earlier: FloatArray) -> int:
    """How many rows differ from one of `earlier`, or from one above them, in one or two cells of several."""
    if rows.shape[1] < 4:
        return 0
    known, count = np.vstack([earlier, rows]), 0
    for i, row in enumerate(rows):
        others = known[: len(earlier) + i]
        differ = (~((others == row) | (np.isnan(others) & np.isnan(row)))).sum(axis=1)
        count += bool(((differ == 1) | (differ == 2)).any())
    return count


def _above(count: int, total: int, share: float) -> bool:
    return count - share * total > DEVIATIONS * math.sqrt(total * share * (1 - share))
