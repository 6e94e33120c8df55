"""Unbiased Shapley values of any model from pairs of complementary coalitions, adjusted by a regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Literal

from explainer.attribution.game import Timed, in_space
from explainer.attribution.maskers import baseline_values, differs
from explainer.attribution.ports import Ask, Attributions, Background, Subject, Suitability
from explainer.attribution.sampled.answer import Sampled, sampled, together
from explainer.attribution.sampled.blocks import Task
from explainer.attribution.sampled.course import LEAST
from explainer.attribution.walks import steps
from explainer.records import FloatArray

MOST = 128  # players: making a design of more takes over a second


@dataclass(frozen=True, slots=True)
class PreparedPaired:
    """`ends` (z, outputs) are the values of the background rows, `expected` (outputs,) their weighted mean."""

    game: Timed
    against: Background
    ends: FloatArray
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Blocks of rounds over the whole background until one of these holds:

        the largest half-width (z times standard error, in units of the output) is at most `ask.tolerance`, and the
        order of the `ask.separate` leading features is beyond doubt; further rounds would exceed
        `ask.max_evaluations`, or a ceiling where there is only one of those goals; they would end after
        `ask.deadline`; or, with neither goal nor budget, as many are done as the method permutation takes.
        Attributions sum to prediction less expected value whenever the sampling ends. The intervals are at
        `ask.confidence`: a met tolerance holds for that share of the values.
        """
        return together([self._one(row, seed, ask) for row, seed in zip(rows, seeds, strict=True)], self.expected)

    def _one(self, row: FloatArray, seed: int, ask: Ask) -> Sampled:
        task = Task(self.game, row, self.game(row[None])[0], self.against, self.ends)
        return sampled(task, seed, ask, self.game.seconds)


class Paired:
    name: ClassVar[str] = "paired"
    version: ClassVar[int] = 2
    family: ClassVar[Literal["shap", "lime"]] = "shap"
    rung: ClassVar[int] = 45
    summary: ClassVar[str] = (
        "Unbiased sampling for any model by pairs of complementary coalitions and a regression, with a standard error "
        "that was checked, to a tolerance: closer than permutation for the same work."
    )

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        """Fits up to MOST differing features as soon as `max_evaluations` allows the fewest rounds of a block."""
        differing = differs(row, subject.background.rows)
        players, due = int(differing.sum(axis=1).max()), 1 + ceil(LEAST * steps(differing))
        if players > MOST:
            why = f"Sampling by pairs is for up to {MOST} features that differ from a background row; {players} do."
            return Suitability(fits=False, exact=False, why=why)
        if ask.max_evaluations is not None and due > ask.max_evaluations:
            why = (
                f"Sampling by pairs takes at least {due:,} evaluations; max_evaluations allows {ask.max_evaluations:,}."
            )
            return Suitability(fits=False, exact=False, why=why)
        why = "Sampled by pairs of complementary coalitions and a regression; the standard errors say how far off."
        return Suitability(fits=True, exact=False, why=why)

    def prepare(self, subject: Subject, ask: Ask) -> PreparedPaired:
        game = Timed(in_space(subject.model, ask.space, ask.outputs))
        return PreparedPaired(game, subject.background, *baseline_values(game, subject.background))


METHOD = Paired()
