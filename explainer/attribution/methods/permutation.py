"""Unbiased Shapley values of any model by antithetic permutation walks from every background row, to a tolerance."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.game import BLOCK, Game, in_space
from explainer.attribution.maskers import baseline_values, differs
from explainer.attribution.ports import Ask, Attributions, Background, Subject, Suitability
from explainer.attribution.uncertainty import StratifiedMean, enough, two_sided
from explainer.attribution.walks import steps, walk_pairs
from explainer.records import FloatArray, Notice

USUAL = 2  # times the fewest trusted passes are taken where neither tolerance nor budget is given
CEILING = 1 << 20  # model rows of one explained row where a tolerance is given without a budget


@dataclass(frozen=True, slots=True)
class Sampled:
    """One row's answer: values and errors (features, outputs), prediction (outputs,), model rows, notices."""

    values: FloatArray
    standard_errors: FloatArray
    prediction: FloatArray
    evaluations: int
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class PreparedPermutation:
    """`ends` (z, outputs) are the values of the background rows: every walk starts at one of them."""

    game: Game
    against: Background
    ends: FloatArray
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Passes over the whole background, one pair of walks from each row, until one of these holds:

        the largest half-width (z times standard error, in units of the output) is at most `ask.tolerance`; another
        pass would exceed `ask.max_evaluations`, or CEILING where there is only a tolerance; another pass would end
        after `ask.deadline`; or, with neither tolerance nor budget, USUAL times `enough` passes are done. `enough`
        passes are the least where budget and deadline allow them. Attributions sum to prediction less expected value
        whenever the sampling ends. The intervals are at `ask.confidence`: a met tolerance holds for that share of
        the values.
        """
        answers = [self._one(row, seed, ask) for row, seed in zip(rows, seeds, strict=True)]
        return Attributions(
            values=np.stack([a.values for a in answers]),
            standard_errors=np.stack([a.standard_errors for a in answers]),
            expected=np.tile(self.expected, (len(rows), 1)),
            predictions=np.stack([a.prediction for a in answers]),
            evaluations=np.array([a.evaluations for a in answers], dtype=np.int64),
            exact=False,
            additive=True,
            notices=tuple(a.notices for a in answers),
        )

    def _one(self, row: FloatArray, seed: int, ask: Ask) -> Sampled:
        differing = differs(row, self.against.rows)
        price = steps(differing)
        prediction = self.game(row[None])[0]
        course = _Course(ask, price, len(differing))
        draws = np.random.default_rng(seed)
        mean = StratifiedMean(self.against.weights, (row.size, prediction.size))
        errors = np.zeros((row.size, prediction.size))
        while passes := course.passes(mean.rounds, errors):
            keys = [np.where(differing, draws.random(differing.shape), np.inf) for _ in range(passes)]
            gains = walk_pairs(self.game, row, (self.against.rows, self.ends), prediction, np.stack(keys))
            for gain in gains:
                mean.add(gain)
            errors = mean.standard_error(ask.confidence)
        return Sampled(mean.mean(), errors, prediction, 1 + mean.rounds * price, course.notices(errors))


class _Course:
    """How many passes one row's sampling takes next, and what the reader must be told about its end.

    Passes share a call of up to BLOCK rows; how many never depends on the clock, except that under a deadline every
    pass is a call of its own and the clock may end the course.
    """

    def __init__(self, ask: Ask, price: int, strata: int) -> None:
        budget = ask.max_evaluations or (CEILING if ask.tolerance is not None else 1 + USUAL * enough(strata) * price)
        self._ask = ask
        self._enough = enough(strata)
        self._least = least = _least(strata)
        self._affordable = max((budget - 1) // price, least) if price else self._enough
        self._together = max(BLOCK // max(price, strata), 1) if ask.deadline is None else 1
        self._z = two_sided(ask.confidence)
        self._began = time.monotonic()
        self._cut: Notice | None = None

    def passes(self, rounds: int, errors: FloatArray) -> int:
        """Passes to take together after `rounds` of them; 0 ends the course."""
        left = self._affordable - rounds
        if rounds < self._least:
            return max(min(self._together, left, self._enough), self._least - rounds)
        if rounds >= self._enough and self._close_enough(errors):
            return 0
        if left <= 0:
            if self._ask.tolerance is not None and not self._close_enough(errors):
                self._cut = Notice("budget-reached", f"Sampling ended after {rounds} passes over the background.")
            return 0
        if self._too_late(rounds):
            self._cut = Notice("deadline-reached", f"Sampling ended after {rounds} passes over the background.")
            return 0
        return min(self._together, left, self._due(rounds, errors))

    def notices(self, errors: FloatArray) -> tuple[Notice, ...]:
        found = () if self._cut is None else (self._cut,)
        if self._ask.tolerance is None or self._close_enough(errors):
            return found
        detail = f"Reached ±{self._half_width(errors):.3g}; ±{self._ask.tolerance:.3g} was asked for."
        return (*found, Notice("tolerance-not-met", detail))

    def _half_width(self, errors: FloatArray) -> float:
        return float(self._z * errors.max(initial=0.0))

    def _close_enough(self, errors: FloatArray) -> bool:
        return self._ask.tolerance is not None and self._half_width(errors) <= self._ask.tolerance

    def _due(self, rounds: int, errors: FloatArray) -> int:
        """Further passes that the tolerance is likely to take: the error falls with the root of their number."""
        if self._ask.tolerance is None:
            return self._affordable
        return max(ceil(rounds * ((self._half_width(errors) / self._ask.tolerance) ** 2 - 1)), 1)

    def _too_late(self, rounds: int) -> bool:
        if self._ask.deadline is None:
            return False
        present = time.monotonic()
        return present + (present - self._began) / rounds > self._ask.deadline


def _least(strata: int) -> int:
    """Passes without which no standard error can be given."""
    return 1 if strata > 1 else 2


class Permutation:
    name: ClassVar[str] = "permutation"
    version: ClassVar[int] = 1
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
        game = in_space(subject.model, ask.space, ask.outputs)
        return PreparedPermutation(game, subject.background, *baseline_values(game, subject.background))


METHOD = Permutation()
