"""LIME: a weighted linear model of the outputs around the row, with an error for each of its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.game import Timed, in_space
from explainer.attribution.lime import library
from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.partition import Partition, partition
from explainer.attribution.lime.repeats import repeated
from explainer.attribution.lime.sampling import End, Neighbours, Outcome, sampled, stream
from explainer.attribution.lime.telling import notices
from explainer.attribution.lime.wording import rules
from explainer.attribution.maskers import baseline_values
from explainer.attribution.model import IntArray
from explainer.attribution.ports import Ask, Attributions, Subject, Suitability
from explainer.records import FloatArray, LimeReport, Stopped

DEFAULTS = LimeOptions()
STOPPED: Mapping[End, Stopped] = {
    "settled": "converged",
    "budget": "evaluations",
    "deadline": "deadline",
    "library": "evaluations",
}


@dataclass(frozen=True, slots=True)
class PreparedLime:
    """LIME for one subject, space and outputs; `labels` are those of the background rows where entropy needs them."""

    subject: Subject
    options: LimeOptions
    game: Timed
    data: FloatArray
    space: Partition
    labels: IntArray | None
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Weights of the local linear model; they do not add up to the prediction.

        Ribeiro, Singh, Guestrin, "Why should I trust you?", KDD 2016, section 3. A weight is what being in the row's
        cell adds to the output, against being in another. Raises InvalidOption for fewer than 50 evaluations.
        """
        answers = [self._one(row, seed, ask) for row, seed in zip(rows, seeds, strict=True)]
        outcomes = [outcome for outcome, _ in answers]
        return Attributions(
            values=np.stack([outcome.surrogate.coefficients for outcome in outcomes]),
            standard_errors=np.stack([outcome.surrogate.standard_errors for outcome in outcomes]),
            expected=np.tile(self.expected, (len(rows), 1)),
            predictions=np.stack([outcome.prediction for outcome in outcomes]),
            evaluations=np.array([outcome.evaluations for outcome in outcomes], dtype=np.int64),
            exact=False,
            additive=False,
            notices=tuple(notices(outcome, self.options, ask) for outcome in outcomes),
            lime=tuple(reports for _, reports in answers),
            stopped=tuple(STOPPED[outcome.end] for outcome in outcomes),
        )

    def _one(self, row: FloatArray, seed: int, ask: Ask) -> tuple[Outcome, tuple[LimeReport, ...]]:
        if self.labels is not None:
            asked = library.Asked(self.subject, self.data, self.labels, self.options)
            outcome, words = library.explained(asked, row, self.game, seed)
            return outcome, self._reports(outcome, words)
        space = self._space(row)
        neighbours = Neighbours(self.game, space, row, self.options, stream(seed), ask.deadline)
        outcome = sampled(neighbours, ask)
        return outcome, self._reports(outcome, rules(space, self.subject, row))

    def _space(self, row: FloatArray) -> Partition:
        """The partition; another one where a number without cells is missing in this row."""
        missing = np.isnan(row)
        if not missing[self.space.normal].any():
            return self.space
        return partition(self.data, self.subject.kinds, self.options, missing)

    def _reports(self, outcome: Outcome, words: Sequence[str]) -> tuple[LimeReport, ...]:
        found, width = outcome.surrogate, self.options.width(len(words))
        return tuple(
            LimeReport(
                intercept=float(found.intercept[k]),
                local_r2=float(found.r2[k]),
                samples=outcome.samples,
                kernel_width=width,
                rules=tuple(zip(words, found.coefficients[:, k].tolist(), strict=True)),
                stability=None if np.isnan(found.stability[k]) else float(found.stability[k]),
            )
            for k in range(found.coefficients.shape[1])
        )


@dataclass(frozen=True)
class Lime:
    options: LimeOptions = DEFAULTS
    name: ClassVar[str] = "lime"
    version: ClassVar[int] = 1
    family: ClassVar[Literal["shap", "lime"]] = "lime"
    rung: ClassVar[int] = 90
    summary: ClassVar[str] = (
        "A linear model is fitted to the model's outputs around the row; its weights are the answer."
    )

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        why = "LIME fits any model: a linear model of its outputs around the row, drawn from the background."
        return Suitability(fits=True, exact=False, why=why)

    def prepare(self, subject: Subject, ask: Ask) -> PreparedLime:
        """Cells and scales from the background; evaluates the model on every background row once."""
        game = Timed(in_space(subject.model, ask.space, ask.outputs))
        data = repeated(subject.background)
        entropy = self.options.discretizer == "entropy"
        options = LimeOptions(discretizer=None) if entropy else self.options
        space = partition(data, subject.kinds, options, np.zeros(data.shape[1], dtype=np.bool_))
        labels = library.labels(subject.model, data) if entropy else None
        expected = baseline_values(game, subject.background)[1]
        return PreparedLime(subject, self.options, game, data, space, labels, expected)


METHOD = Lime()
