"""Exact interventional Shapley values of tree ensembles, from tables made once per model and background."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.model import IntArray, OpenedModel, Trees
from explainer.attribution.ports import Ask, Attributions, Prepared, Subject, Suitability
from explainer.attribution.trees import attribute, coalitions, links, size
from explainer.records import FloatArray

AUTO_LIMIT = 1 << 24  # coalitions that `auto` evaluates for one row: about a tenth of a second
LIMIT = 1 << 27  # coalitions beyond which enumeration is refused even by name: less than a second
_MARGIN_SPACES = {"identity": ("raw", "probability"), "logistic": ("raw", "log_odds"), "softmax": ("raw",)}
KEPT = 4  # subjects whose forest is kept ready to judge rows


@dataclass(frozen=True, slots=True)
class PreparedTables:
    """Tables of the margins in `place` (outputs asked for), each to be turned round where `sign` is -1."""

    model: OpenedModel
    tables: attribute.Prepared
    place: IntArray
    sign: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """No model row is evaluated: every value is read from tables, exact to rounding."""
        columns = encoded(self.model, rows)
        shares = attribute.attribute(self.tables, columns)
        values = shares[:, :, self.place] * self.sign + 0.0
        predictions = attribute.predict(self.tables, columns)[:, self.place] * self.sign
        return Attributions(
            values=values,
            standard_errors=np.zeros_like(values),
            expected=np.tile(self.tables.expected[self.place] * self.sign, (len(rows), 1)),
            predictions=predictions,
            evaluations=np.zeros(len(rows), dtype=np.int64),
            exact=True,
            additive=True,
        )


@dataclass(frozen=True, slots=True)
class PreparedLink:
    """The forest against a background, and the link that bends its margins into the outputs asked for."""

    model: OpenedModel
    game: coalitions.Contest
    link: int
    outputs: IntArray
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Exact to rounding; evaluations are coalitions, whose margins come from one transform, not from the model."""
        columns = encoded(self.model, rows)
        values, evaluations = coalitions.attribute(self.game, columns, self.link, self.outputs)
        return Attributions(
            values=values,
            standard_errors=np.zeros_like(values),
            expected=np.tile(self.expected, (len(rows), 1)),
            predictions=coalitions.answers(self.game, columns, self.link, self.outputs),
            evaluations=evaluations,
            exact=True,
            additive=True,
        )


@dataclass(slots=True)
class Known:
    """A subject, why its trees cannot be prepared (or nothing), and its forest once a row had to be judged by it."""

    subject: Subject
    trees: Trees
    refusal: str
    _game: coalitions.Contest | None = None

    def game(self) -> coalitions.Contest:
        if self._game is None:
            background, width = self.subject.background, len(self.subject.names)
            columns = encoded(self.subject.model, background.rows)
            self._game = coalitions.contest(self.trees, owners(self.subject), width, columns, background.weights)
        return self._game


class Tree:
    name: ClassVar[str] = "tree"
    version: ClassVar[int] = 2
    family: ClassVar[Literal["shap", "lime"]] = "shap"
    rung: ClassVar[int] = 20
    summary: ClassVar[str] = "Tables made once per tree model and background: exact in microseconds, on raw features."

    def __init__(self) -> None:
        self._known: OrderedDict[int, Known] = OrderedDict()

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        """Margins always fit; a link of them fits while the coalitions that decide about `row` are affordable."""
        model = subject.model
        if model.trees is None:
            return _unfit("The model is not known to be a tree ensemble.")
        known = self._look(subject, model.trees)
        if known.refusal:
            return _unfit(known.refusal)
        if ask.space in margin_spaces(model):
            return _by_tables(len(model.trees.roots), ask.space)
        link = _link(model, ask)
        if link is None:
            return _unfit(f"The trees do not say what output {ask.space} is.")
        allowed = min(ask.max_evaluations or (LIMIT if ask.named else AUTO_LIMIT), LIMIT)
        due = coalitions.cost(known.game(), encoded(model, row[None])[0], allowed)
        if due > allowed:
            why = f"Exact values in output {ask.space} take more than the {allowed:,} coalitions of the trees allowed."
            return _unfit(why)
        why = f"Output {ask.space} bends the sum of the trees, so all {due:,} coalitions of the features that decide "
        return Suitability(
            fits=True, exact=True, why=why + "between the row and the background were enumerated: exact."
        )

    def prepare(self, subject: Subject, ask: Ask) -> Prepared:
        """Raises ValueError when the model has no trees or no such output: `suits` says so first."""
        model = subject.model
        if model.trees is None:
            raise ValueError("The tree method needs a model with trees.")
        picked = which_margins(model, ask)
        if picked is not None:
            return self._tables(subject, model.trees, *picked)
        link = _link(model, ask)
        if link is None:
            raise ValueError(f"The tree method has no output {ask.space} of this model.")
        game, outputs = self._look(subject, model.trees).game(), np.asarray(ask.outputs, dtype=np.int64)
        background = coalitions.answers(game, game.background, link, outputs)
        return PreparedLink(model, game, link, outputs, game.weights @ background)

    def _tables(self, subject: Subject, trees: Trees, margins: IntArray, sign: FloatArray) -> PreparedTables:
        needed, place = narrowed(trees, margins)
        background = subject.background
        columns = encoded(subject.model, background.rows)
        tables = attribute.prepare(needed, owners(subject), len(subject.names), columns, background.weights)
        return PreparedTables(subject.model, tables, place, sign)

    def _look(self, subject: Subject, trees: Trees) -> Known:
        """What is known of a subject, kept for its next row; it is held here, so its id stays its own."""
        if id(subject) not in self._known:
            refusal = size.too_large(trees, owners(subject), len(subject.background.rows))
            self._known[id(subject)] = Known(subject, trees, refusal)
        self._known.move_to_end(id(subject))
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return self._known[id(subject)]


def encoded(model: OpenedModel, rows: FloatArray) -> FloatArray:
    """The columns that the trees read; a model without an encoding reads the coded rows themselves."""
    return rows if model.columns is None else model.columns.encode(rows)


def owners(subject: Subject) -> IntArray:
    """The feature that each column is made from."""
    columns = subject.model.columns
    return np.arange(len(subject.names), dtype=np.int64) if columns is None else columns.owner


def narrowed(trees: Trees, margins: IntArray) -> tuple[Trees, IntArray]:
    """The trees with the margins that are needed, each once, and where each of `margins` is among them."""
    needed, place = np.unique(margins, return_inverse=True)
    return replace(trees, value=np.ascontiguousarray(trees.value[:, needed]), base=trees.base[needed]), place


@cache
def _by_tables(trees: int, space: str) -> Suitability:
    why = f"The model is a sum of {trees:,} trees in output {space}, so tables of what each leaf gives to each feature "
    return Suitability(fits=True, exact=True, why=why + "are exact.")


def _unfit(why: str) -> Suitability:
    return Suitability(fits=False, exact=True, why=why)


def margin_spaces(model: OpenedModel) -> tuple[str, ...]:
    """The output spaces in which the model answers a margin or its negative."""
    return _MARGIN_SPACES[model.link]


def which_margins(model: OpenedModel, ask: Ask) -> tuple[IntArray, FloatArray] | None:
    """Which margin each output asked for is, and its sign, where the output is a margin; a binary one is class 1's."""
    outputs = np.asarray(ask.outputs, dtype=np.int64)
    single = model.task == "classification" and model.link == "logistic"
    if ask.space not in margin_spaces(model):
        return None
    if single:
        return np.zeros_like(outputs), np.where(outputs == 1, 1.0, -1.0)
    return outputs, np.ones(len(outputs))


def _link(model: OpenedModel, ask: Ask) -> int | None:
    if model.task != "classification":
        return None
    known = {
        ("logistic", "probability"): links.LOGISTIC_PROBABILITY,
        ("softmax", "probability"): links.SOFTMAX_PROBABILITY,
        ("softmax", "log_odds"): links.SOFTMAX_LOG_ODDS,
    }
    return known.get((model.link, ask.space))


METHOD = Tree()
