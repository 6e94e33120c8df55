"""Exact Shapley values of any model by evaluating every coalition of the features that differ from the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.enumeration import cost, enumerated
from explainer.attribution.game import Game, in_space
from explainer.attribution.maskers import baseline_values
from explainer.attribution.ports import Ask, Attributions, Background, Subject, Suitability
from explainer.records import FloatArray

AUTO_LIMIT = 1 << 16  # model rows that `auto` spends without being asked
LIMIT = 1 << 20  # model rows beyond which enumeration is refused even by name


@dataclass(frozen=True, slots=True)
class PreparedExact:
    game: Game
    against: Background
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Values exact to rounding; one row's evaluations are 2**differing features, summed over the background."""
        values = np.stack([enumerated(self.game, row, self.against) for row in rows])
        return Attributions(
            values=values,
            standard_errors=np.zeros_like(values),
            expected=np.tile(self.expected, (len(rows), 1)),
            predictions=np.concatenate([self.game(row[None]) for row in rows]),
            evaluations=np.array([cost(row, self.against) for row in rows], dtype=np.int64),
            exact=True,
            additive=True,
        )


class Exact:
    name: ClassVar[str] = "exact"
    version: ClassVar[int] = 1
    family: ClassVar[Literal["shap", "lime"]] = "shap"
    rung: ClassVar[int] = 30
    summary: ClassVar[str] = "Every coalition of features is evaluated: exact for any model, where few features differ."

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        """Fits up to AUTO_LIMIT model rows, up to LIMIT when asked for by name or allowed by `max_evaluations`."""
        due = cost(row, subject.background)
        allowed = min(ask.max_evaluations or (LIMIT if ask.named else AUTO_LIMIT), LIMIT)
        if due > allowed:
            why = f"Enumerating this row takes {due:,.0f} evaluations, more than the {allowed:,} that are allowed."
            return Suitability(fits=False, exact=True, why=why)
        why = f"All {due:,.0f} combinations of this row with the background were evaluated, so the values are exact."
        return Suitability(fits=True, exact=True, why=why)

    def prepare(self, subject: Subject, ask: Ask) -> PreparedExact:
        game = in_space(subject.model, ask.space, ask.outputs)
        return PreparedExact(game, subject.background, baseline_values(game, subject.background)[1])


METHOD = Exact()
