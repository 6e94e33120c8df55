"""Unbiased Shapley values of any model by antithetic permutation walks from every background row, to a goal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.game import BLOCK, Timed, in_space
from explainer.attribution.goal import Goal
from explainer.attribution.maskers import baseline_values, differs
from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.ports import Ask, Attributions, Background, Subject, Suitability
from explainer.attribution.sampled.answer import Sampled, together
from explainer.attribution.sampled.course import CEILING, RANKS
from explainer.attribution.uncertainty import StratifiedMean, enough
from explainer.attribution.walks import steps, walk_pairs
from explainer.records import FloatArray, Notice, Stopped

USUAL = 2  # times the fewest trusted passes are taken where neither goal nor budget is given


@dataclass(frozen=True, slots=True)
class PreparedPermutation:
    """`ends` (z, outputs) are the values of the background rows: every walk starts at one of them."""

    game: Timed
    against: Background
    ends: FloatArray
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Passes over the whole background, one pair of walks from each row, until one of these holds:

        the largest half-width (z times standard error, in units of the output) is at most `ask.tolerance`, and the
        order of the `ask.separate` leading features is beyond doubt; another pass would exceed
        `ask.max_evaluations`, or a ceiling where there is only one of those goals; another pass would end after
        `ask.deadline`; or, with neither goal nor budget, USUAL times `enough` passes are done. What budget or time
        is left over is spent on walks from some background rows. `enough` passes are the least where budget and
        deadline allow them. Attributions sum to prediction less expected value whenever the sampling ends. The
        intervals are at `ask.confidence`: a met tolerance holds for that share of the values.
        """
        return together([self._one(row, seed, ask) for row, seed in zip(rows, seeds, strict=True)], self.expected)

    def _one(self, row: FloatArray, seed: int, ask: Ask) -> Sampled:
        differing = differs(row, self.against.rows)
        every = np.arange(len(differing))
        prediction = self.game(row[None])[0]
        course = _Course(ask, steps(differing), len(differing), self.game)
        draws = np.random.default_rng(seed)
        possible = differing[differing.sum(axis=1) > 1].any(axis=0)
        mean = StratifiedMean(self.against.weights, (row.size, prediction.size), possible)
        spent = 1
        while passes := course.passes(mean):
            for gain in self._walks(row, prediction, every, differing, draws, passes):
                mean.add(gain)
            spent += passes * steps(differing)
        some = _affordable(differing, self.against.weights, course.left_over())
        if len(some):
            mean.add_to(some, self._walks(row, prediction, some, differing[some], draws, 1)[0])
            spent += steps(differing[some])
        course.ended(mean)
        errors = mean.standard_error(ask.confidence)
        return Sampled(mean.mean(), errors, prediction, spent, course.notices(), course.stopped())

    def _walks(
        self,
        row: FloatArray,
        prediction: FloatArray,
        which: IntArray,
        differing: BoolArray,
        draws: np.random.Generator,
        passes: int,
    ) -> FloatArray:
        """Gains (passes, rows, features, outputs) of one pair of walks a pass from each background row of `which`."""
        keys = [np.where(differing, draws.random(differing.shape), np.inf) for _ in range(passes)]
        return walk_pairs(self.game, row, (self.against.rows[which], self.ends[which]), prediction, np.stack(keys))


def _affordable(differing: BoolArray, weights: FloatArray, most: int) -> IntArray:
    """Background rows, those of most weight first, from which one pair of walks each takes at most so many model rows.

    Walks that cost nothing tell nothing. What the walks find has no part in the choice, so that nothing is biased.
    """
    prices = 2 * np.maximum(differing.sum(axis=1) - 1, 0)
    order = np.argsort(-weights, kind="stable")
    order = order[prices[order] > 0]
    return np.asarray(order[np.cumsum(prices[order]) <= most])


class _Course:
    """How many passes one row's sampling takes next, and what the reader must be told about its end.

    Passes share a call of up to BLOCK rows; how many never depends on the clock, except that under a deadline every
    pass is a call of its own and the clock may end the course.
    """

    def __init__(self, ask: Ask, price: int, strata: int, game: Timed) -> None:
        usual = 1 + USUAL * enough(strata) * price
        ceiling = CEILING if ask.tolerance is not None else RANKS if ask.separate is not None else usual
        self.goal = Goal(ask)
        self._ask = ask
        self._price = price
        self._game = game
        self._enough = enough(strata)
        self._least = least = _least(strata)
        self._budget = ask.max_evaluations or ceiling
        self._affordable = max((self._budget - 1) // price, least) if price else self._enough
        self._together = max(BLOCK // max(price, strata), 1) if ask.deadline is None else 1
        self._rounds = 0
        self._stopped: Stopped = "evaluations"

    def passes(self, mean: StratifiedMean) -> int:
        """Passes to take together after those in `mean`; 0 ends the course."""
        rounds = self._rounds = mean.rounds
        left = self._affordable - rounds
        if rounds < self._least:
            return max(min(self._together, left, self._enough), self._least - rounds)
        if rounds >= self._enough and self.goal.asked:
            self.goal.look(mean.mean(), mean.standard_error)
            if self.goal.reached:
                self._stopped = self.goal.reached
                return 0
        if left <= 0:
            return 0
        if self._late(self._price):
            self._stopped = "deadline"
            return 0
        return min(self._together, left, self._due(rounds))

    def left_over(self) -> int:
        """Model rows that budget and deadline allow beyond whole passes."""
        left = self._budget - 1 - self._rounds * self._price
        if self.goal.reached or left <= 0:
            return 0
        while left > 0 and self._late(left):
            left //= 2
        return left

    def ended(self, mean: StratifiedMean) -> None:
        """Look a last time at what was found."""
        if self.goal.asked and not self.goal.reached:
            self.goal.look(mean.mean(), mean.standard_error)

    def stopped(self) -> Stopped:
        return self._stopped

    def notices(self) -> tuple[Notice, ...]:
        unmet = self.goal.notices()
        if self._stopped == "deadline" or unmet:
            code = "deadline-reached" if self._stopped == "deadline" else "budget-reached"
            return (Notice(code, f"Sampling ended after {self._rounds} passes over the background."), *unmet)
        return ()

    def _due(self, rounds: int) -> int:
        """Further passes that the goal is likely to take: the error falls with the root of their number."""
        if not self.goal.asked:
            return self._affordable
        if rounds < self._enough:
            return self._enough - rounds
        return max(ceil(min(rounds * (self.goal.strain**2 - 1), self._affordable)), 1)

    def _late(self, rows: int) -> bool:
        """Whether so many more model rows are likely to end after the deadline."""
        deadline = self._ask.deadline
        return deadline is not None and time.monotonic() + self._game.seconds(rows) > deadline


def _least(strata: int) -> int:
    """Passes without which no standard error can be given."""
    return 1 if strata > 1 else 2


class Permutation:
    name: ClassVar[str] = "permutation"
    version: ClassVar[int] = 2
    family: ClassVar[Literal["shap", "lime"]] = "shap"
    rung: ClassVar[int] = 50
    summary: ClassVar[str] = "Unbiased sampling for any model, with a standard error that was checked, to a tolerance."

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        """Fits any model as soon as `max_evaluations` allows the fewest passes that give a standard error."""
        due = 1 + _least(len(subject.background.rows)) * steps(differs(row, subject.background.rows))
        if ask.max_evaluations is not None and due > ask.max_evaluations:
            why = (
                f"Sampling this row takes at least {due:,} evaluations; max_evaluations allows {ask.max_evaluations:,}."
            )
            return Suitability(fits=False, exact=False, why=why)
        why = "Sampled by permutation walks; the standard errors say how far off."
        return Suitability(fits=True, exact=False, why=why)

    def prepare(self, subject: Subject, ask: Ask) -> PreparedPermutation:
        game = Timed(in_space(subject.model, ask.space, ask.outputs))
        return PreparedPermutation(game, subject.background, *baseline_values(game, subject.background))


METHOD = Permutation()
