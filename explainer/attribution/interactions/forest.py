"""Interactions of tree ensembles: exact over raw features, in margins by a walk, in a link of them by coalitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainer.attribution.interactions.index import indices, spread
from explainer.attribution.interactions.matrix import Matrix, exact
from explainer.attribution.methods.tree import encoded, narrowed, owners, which_margins
from explainer.attribution.model import IntArray, OpenedModel, Trees
from explainer.attribution.ports import Ask, Subject
from explainer.attribution.trees import coalitions, links, pairs
from explainer.attribution.trees.size import too_large
from explainer.records import FloatArray

LIMIT = 1 << 20  # coalitions of one row in a link of the margins: some tenths of a second


@dataclass(frozen=True, slots=True)
class Margins:
    """A forest against a background, for outputs that are its margins or their negatives (`sign`)."""

    model: OpenedModel
    ready: pairs.Rivals
    place: IntArray
    sign: FloatArray

    def matrix(self, row: FloatArray) -> Matrix:
        """No model row is evaluated; the cost grows with the leaves between the row and each background row."""
        found, phi = pairs.indices(self.ready, encoded(self.model, row[None])[0])
        expected = self.ready.expected[self.place] * self.sign
        return exact(found[:, :, self.place] * self.sign, phi[:, self.place] * self.sign, expected, 0)


@dataclass(frozen=True, slots=True)
class Linked:
    """A forest against a background, and the link that bends its margins into the outputs asked for."""

    model: OpenedModel
    game: coalitions.Contest
    link: int
    outputs: IntArray
    expected: FloatArray

    def due(self, row: FloatArray, limit: int) -> int:
        """Coalitions that `matrix` takes for this row; more than `limit` when they are too many."""
        return coalitions.cost(self.game, encoded(self.model, row[None])[0], limit)

    def matrix(self, row: FloatArray) -> Matrix:
        """Every coalition of the players that decide between the row and each background row; `due` counts them."""
        columns, d = encoded(self.model, row[None])[0], self.game.players
        found, phi = np.zeros((d, d, len(self.outputs))), np.zeros((d, len(self.outputs)))
        spent = 0
        for weight, players, values in pairs.linked_values(self.game, columns, self.link, self.outputs):
            wide, tall = spread(*indices(values), players, d)
            found += weight * wide
            phi += weight * tall
            spent += len(values)
        return exact(found, phi, self.expected, spent)


def prepared(subject: Subject, ask: Ask) -> Margins | Linked | str:
    """The forest made ready for the outputs asked for, or a sentence that says why it cannot be."""
    model = subject.model
    if model.trees is None:
        return "The model is not known to be a tree ensemble."
    if reason := too_large(model.trees, owners(subject), 0):
        return reason
    background = subject.background
    columns = encoded(model, background.rows)
    picked = which_margins(model, ask)
    if picked is not None:
        trees, place = narrowed(model.trees, picked[0])
        ready = pairs.rivals(trees, owners(subject), len(subject.names), columns, background.weights)
        return Margins(model, ready, place, picked[1])
    return _linked(subject, model.trees, columns, ask)


def _linked(subject: Subject, trees: Trees, columns: FloatArray, ask: Ask) -> Linked | str:
    kind = {
        ("logistic", "probability"): links.LOGISTIC_PROBABILITY,
        ("softmax", "probability"): links.SOFTMAX_PROBABILITY,
        ("softmax", "log_odds"): links.SOFTMAX_LOG_ODDS,
    }.get((subject.model.link, ask.space))
    if kind is None or subject.model.task != "classification":
        return f"The trees do not say what output {ask.space} is."
    game = coalitions.contest(trees, owners(subject), len(subject.names), columns, subject.background.weights)
    outputs = np.asarray(ask.outputs, dtype=np.int64)
    expected = game.weights @ coalitions.answers(game, game.background, kind, outputs)
    return Linked(subject.model, game, kind, outputs, expected)
