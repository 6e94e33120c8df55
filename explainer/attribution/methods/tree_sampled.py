"""Shapley values of a link of a sum of trees by pairs of coalitions, where there are too many to enumerate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.game import Timed
from explainer.attribution.maskers import differs
from explainer.attribution.methods.tree import encoded, owners
from explainer.attribution.model import BoolArray, IntArray, OpenedModel
from explainer.attribution.ports import Ask, Attributions, Background, Subject, Suitability
from explainer.attribution.sampled.answer import Sampled, sampled, together
from explainer.attribution.sampled.bent import Bent, bent
from explainer.attribution.sampled.blocks import Task
from explainer.attribution.sampled.course import LEAST
from explainer.attribution.trees import hybrids, links, pairs, size
from explainer.attribution.trees.evaluate import margins
from explainer.attribution.walks import steps
from explainer.records import FloatArray

MOST = 64  # differing features up to which the known game's values take little time beside the sampling


@dataclass(frozen=True, slots=True)
class PreparedTreeSampled:
    """`ends` (z, k), `base` (z, r) and `odds` (z, k): outputs, margins and log-odds of the background rows."""

    model: OpenedModel
    forest: pairs.Rivals
    between: hybrids.Hybrids
    answered: Callable[[FloatArray], FloatArray]
    clock: Timed
    against: Background
    outputs: IntArray
    probability: bool
    ends: FloatArray
    base: FloatArray
    odds: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """As the method paired, with the part of the game that is known taken out before it is sampled.

        No model row is evaluated: `evaluations` counts coalitions whose margin was read from the trees. The known part
        (`sampled.bent`) rests on the trees and the two rows alone, not on what is drawn, so nothing is biased.
        """
        expected = self.against.weights @ self.ends
        return together([self._one(row, seed, ask) for row, seed in zip(rows, seeds, strict=True)], expected)

    def _one(self, row: FloatArray, seed: int, ask: Ask) -> Sampled:
        columns = encoded(self.model, row[None])
        margin = margins(self.forest.forest, columns)
        value = self.answered(margin)[0]
        task = Task(self.clock, row, value, self.against, self.ends, self._known(columns[0], margin[0]))
        return sampled(task, seed, ask, self.clock.seconds)

    def _known(self, columns: FloatArray, margin: FloatArray) -> Bent:
        part = parts(self.model, self.outputs, (self.base + margin) / 2)
        odds = log_odds(self.model, margin[None], self.outputs)[0]
        additive, linear, slope = bent((margin, self.base), (odds, self.odds), self._shares(columns), part)
        ones = np.ones_like(slope)

        def answers(known: BoolArray, roles: IntArray, places: IntArray) -> FloatArray:
            began = time.monotonic()
            found = hybrids.mixed(self.between, columns, places, roles, known)
            outputs = self.answered(found.reshape(-1, margin.size)).reshape(*found.shape[:2], -1)
            self.clock.note(len(known) * len(places), time.monotonic() - began)
            return np.concatenate([outputs, found], axis=2)

        bends = slope if self.probability else ones
        return Bent(answers, self.odds, additive, linear, part, bends, self.probability)

    def _shares(self, columns: FloatArray) -> FloatArray:
        """Shapley values of the margins against each background row, (z, features, r)."""
        seen, one = self.forest.background, np.ones(1)
        each = [self.forest._replace(background=seen[z : z + 1], weights=one) for z in range(len(seen))]
        return np.stack([pairs.indices(forest, columns)[1] for forest in each])


class TreeSampled:
    name: ClassVar[str] = "tree_sampled"
    version: ClassVar[int] = 1
    family: ClassVar[Literal["shap", "lime"]] = "shap"
    rung: ClassVar[int] = 40
    summary: ClassVar[str] = (
        "Unbiased sampling of a link of a sum of trees, closer than paired: what the trees tell exactly is taken out."
    )

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        """Fits links of the trees' margins up to MOST differing features, as soon as a block of rounds is allowed."""
        model = subject.model
        if model.trees is None:
            return _unfit("The model is not known to be a tree ensemble.")
        if not _bends(model, ask):
            return _unfit(f"Output {ask.space} is no link of the trees' sum that is known.")
        if refusal := size.too_large(model.trees, owners(subject), len(subject.background.rows)):
            return _unfit(refusal)
        differing = differs(row, subject.background.rows)
        players, due = int(differing.sum(axis=1).max()), 1 + ceil(LEAST * steps(differing))
        if players > MOST:
            return _unfit(f"This is for up to {MOST} features that differ from a background row; {players} do.")
        if ask.max_evaluations is not None and due > ask.max_evaluations:
            return _unfit(f"This takes at least {due:,} evaluations; max_evaluations allows {ask.max_evaluations:,}.")
        why = (
            f"Output {ask.space} bends the sum of the trees, and its coalitions are too many to enumerate: sampled in "
            "pairs, with what the trees tell exactly taken out; the standard errors say how far off."
        )
        return Suitability(fits=True, exact=False, why=why)

    def prepare(self, subject: Subject, ask: Ask) -> PreparedTreeSampled:
        """Raises ValueError when the model has no trees: `suits` says so first."""
        model, background = subject.model, subject.background
        if model.trees is None:
            raise ValueError("The method tree_sampled needs a model with trees.")
        columns = encoded(model, background.rows)
        forest = pairs.rivals(model.trees, owners(subject), len(subject.names), columns, background.weights)
        between = hybrids.hybrids(forest.forest, columns)
        outputs, probability = np.asarray(ask.outputs, dtype=np.int64), ask.space == "probability"
        link = _probability(model) if probability else links.SOFTMAX_LOG_ODDS

        def answered(margin: FloatArray) -> FloatArray:
            return links.linked(margin, link, outputs)

        base = margins(forest.forest, columns)
        return PreparedTreeSampled(
            model=model,
            forest=forest,
            between=between,
            answered=answered,
            clock=Timed(answered),
            against=background,
            outputs=outputs,
            probability=probability,
            ends=answered(base),
            base=base,
            odds=log_odds(model, base, outputs),
        )


def log_odds(model: OpenedModel, margin: FloatArray, outputs: IntArray) -> FloatArray:
    """Log-odds (rows, k) of the outputs from margins (rows, r)."""
    if model.link == "logistic":
        return np.asarray(margin * _signs(outputs))
    return links.linked(margin, links.SOFTMAX_LOG_ODDS, outputs)


def parts(model: OpenedModel, outputs: IntArray, margin: FloatArray) -> FloatArray:
    """The slopes (rows, k, r) of the log-odds along the margins (rows, r)."""
    if model.link == "logistic":
        return np.broadcast_to(_signs(outputs)[:, None], (len(margin), len(outputs), 1))
    found = np.empty((len(margin), len(outputs), margin.shape[1]))
    for k, output in enumerate(outputs):
        others = margin.copy()
        others[:, output] = -np.inf
        shares = np.exp(others - others.max(axis=1, keepdims=True))
        found[:, k] = -shares / shares.sum(axis=1, keepdims=True)
        found[:, k, output] = 1.0
    return found


def _signs(outputs: IntArray) -> FloatArray:
    return np.where(outputs == 1, 1.0, -1.0)


def _probability(model: OpenedModel) -> int:
    return links.LOGISTIC_PROBABILITY if model.link == "logistic" else links.SOFTMAX_PROBABILITY


def _bends(model: OpenedModel, ask: Ask) -> bool:
    bent_spaces = {"logistic": ("probability",), "softmax": ("probability", "log_odds"), "identity": ()}
    return model.task == "classification" and ask.space in bent_spaces[model.link]


def _unfit(why: str) -> Suitability:
    return Suitability(fits=False, exact=False, why=why)


METHOD = TreeSampled()
