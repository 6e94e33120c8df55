"""Conditional Shapley values: absent features take the values of background rows that resemble what is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.enumeration import shapley
from explainer.attribution.game import Game, in_space
from explainer.attribution.maskers import baseline_values
from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.neighbours import conditional_values, squared_distances
from explainer.attribution.ports import Ask, Attributions, Background, Subject, Suitability
from explainer.attribution.uncertainty import honest, two_sided
from explainer.records import FloatArray, Notice, Stopped

LIMIT = 1 << 17  # model rows up to which every coalition is evaluated
USUAL = 1 << 16  # model rows of one explained row where neither budget nor tolerance is given
CEILING = 1 << 20  # where there is only a tolerance
MOST = 30  # features beyond which nothing is enumerated
LEAST = 2  # pairs of walks without which no standard error can be given
TRUSTED = 16  # pairs of walks from which on a tolerance may end the sampling


@dataclass(frozen=True, slots=True)
class PreparedConditional:
    game: Game
    against: Background
    kinds: IntArray
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Exact where all coalitions are affordable, else the mean over antithetic pairs of permutation walks.

        Attributions sum to prediction less expected value either way. Sampling ends as soon as the largest half-width
        is within `ask.tolerance`, another pair could exceed `ask.max_evaluations` (default: USUAL, or CEILING with a
        tolerance), or would end after `ask.deadline`.
        """
        exact = affordable(self.against, rows.shape[1], ask)
        pairs = zip(rows, seeds, strict=True)
        answers = [self._enumerated(row) if exact else self._sampled(row, seed, ask) for row, seed in pairs]
        return Attributions(
            values=np.stack([a.values for a in answers]),
            standard_errors=np.stack([a.standard_errors for a in answers]),
            expected=np.tile(self.expected, (len(rows), 1)),
            predictions=np.concatenate([self.game(row[None]) for row in rows]),
            evaluations=np.array([a.evaluations for a in answers], dtype=np.int64),
            exact=exact,
            additive=True,
            notices=tuple(a.notices for a in answers),
            stopped=() if exact else tuple(a.stopped for a in answers),
        )

    def _enumerated(self, row: FloatArray) -> _One:
        coalitions = (np.arange(1 << row.size)[:, None] >> np.arange(row.size)) & 1
        inner, spent = self._values(row, coalitions[1:-1].astype(np.bool_), self._squared(row))
        values = shapley(np.concatenate([self.expected[None], inner, self.game(row[None])])[None])[0]
        return _One(values, np.zeros_like(values), spent + 1, ())

    def _sampled(self, row: FloatArray, seed: int, ask: Ask) -> _One:
        draws, prediction = np.random.default_rng(seed), self.game(row[None])[0]
        course, squared = _Course(ask, pair_price(self.against, row.size)), self._squared(row)
        found: list[FloatArray] = []
        while course.goes_on(found):
            order = draws.permutation(row.size)
            known = np.concatenate([_prefixes(order), _prefixes(order[::-1])])
            inner, spent = self._values(row, known, squared)
            course.spent += spent
            there, back = np.split(inner, 2)
            found.append((self._gains(there, prediction, order) + self._gains(back, prediction, order[::-1])) / 2)
        return _One(np.mean(found, axis=0), course.errors(found), course.spent, course.notices(found), course.stopped)

    def _squared(self, row: FloatArray) -> FloatArray:
        return squared_distances(row, self.against, self.kinds)

    def _values(self, row: FloatArray, known: BoolArray, squared: FloatArray) -> tuple[FloatArray, int]:
        if len(known) == 0:
            return np.empty((0, self.expected.size)), 0
        return conditional_values(self.game, row, self.against, squared, known)

    def _gains(self, inner: FloatArray, prediction: FloatArray, order: IntArray) -> FloatArray:
        phi = np.empty((len(order), prediction.size))
        phi[order] = np.diff(np.concatenate([self.expected[None], inner, prediction[None]]), axis=0)
        return phi


@dataclass(frozen=True, slots=True)
class _One:
    """One row's answer."""

    values: FloatArray
    standard_errors: FloatArray
    evaluations: int
    notices: tuple[Notice, ...]
    stopped: Stopped = "converged"


class _Course:
    """When one row's sampling ends, and what the reader must be told about it; `spent` counts model rows."""

    def __init__(self, ask: Ask, price: int) -> None:
        self.spent = 1
        self._ask = ask
        self._price = price
        self._budget = ask.max_evaluations or (USUAL if ask.tolerance is None else CEILING)
        self._began = time.monotonic()
        self._z = two_sided(ask.confidence)
        self._late = False
        self.stopped: Stopped = "evaluations"

    def goes_on(self, found: list[FloatArray]) -> bool:
        if len(found) < LEAST:
            return True
        if self.spent + self._price > self._budget:
            return False
        if len(found) % TRUSTED == 0 and self._close_enough(found):
            self.stopped = "tolerance"
            return False
        present = time.monotonic()
        self._late = (
            self._ask.deadline is not None and present + (present - self._began) / len(found) > self._ask.deadline
        )
        if self._late:
            self.stopped = "deadline"
        return not self._late

    def errors(self, found: list[FloatArray]) -> FloatArray:
        spread = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
        return honest(spread, np.asarray(len(found) - 1.0), self._ask.confidence)

    def notices(self, found: list[FloatArray]) -> tuple[Notice, ...]:
        told = []
        if self._late:
            told.append(Notice("deadline-reached", f"Sampling ended after {len(found)} pairs of walks."))
        if self._ask.tolerance is not None and not self._close_enough(found):
            reached = self._z * self.errors(found).max(initial=0.0)
            detail = f"Reached ±{reached:.3g}; ±{self._ask.tolerance:.3g} was asked for."
            told.append(Notice("tolerance-not-met", detail))
        return tuple(told)

    def _close_enough(self, found: list[FloatArray]) -> bool:
        tolerance = self._ask.tolerance
        return tolerance is not None and bool(self._z * self.errors(found).max(initial=0.0) <= tolerance)


class Conditional:
    name: ClassVar[str] = "conditional"
    version: ClassVar[int] = 1
    family: ClassVar[Literal["shap", "lime", "other"]] = "other"
    rung: ClassVar[int] = 96
    summary: ClassVar[str] = "Another question: absent features take values that go together with those that are known."

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        """Fits any model for which the budget allows the fewest walks that give a standard error."""
        against = subject.background
        if affordable(against, row.size, ask):
            why = "Absent features take values of background rows that resemble what is known; every coalition was "
            return Suitability(
                fits=True, exact=True, why=why + "evaluated: exact for that game, not that of the others."
            )
        due = 1 + LEAST * pair_price(against, row.size)
        if ask.max_evaluations is not None and due > ask.max_evaluations:
            why = f"This takes at least {due:,} evaluations; max_evaluations allows {ask.max_evaluations:,}."
            return Suitability(fits=False, exact=False, why=why)
        why = "Absent features take values of background rows that resemble what is known; sampled by walks, in a game "
        return Suitability(fits=True, exact=False, why=why + "that is not that of the other methods.")

    def prepare(self, subject: Subject, ask: Ask) -> PreparedConditional:
        game = in_space(subject.model, ask.space, ask.outputs)
        expected = baseline_values(game, subject.background)[1]
        return PreparedConditional(game, subject.background, subject.kinds, expected)


def affordable(against: Background, features: int, ask: Ask) -> bool:
    """Whether every coalition may be evaluated on every background row."""
    allowed = min(ask.max_evaluations or LIMIT, LIMIT)
    return features < MOST and len(against.rows) << features <= allowed


def pair_price(against: Background, features: int) -> int:
    """Most model rows of one pair of walks; fewer where some background rows do not resemble the row."""
    return 2 * max(features - 1, 0) * len(against.rows)


def _prefixes(order: IntArray) -> BoolArray:
    """The coalitions within a walk, (d - 1, d)."""
    place = np.argsort(order)
    return np.asarray(place[None] < np.arange(1, len(order))[:, None])


METHOD = Conditional()
