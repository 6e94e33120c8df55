"""Hands to the `lime` library what our own implementation does not cover: borders that entropy chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from explainer.attribution.game import Game
from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.sampling import Outcome
from explainer.attribution.lime.surrogate import Surrogate
from explainer.attribution.model import IntArray, OpenedModel
from explainer.attribution.ports import Subject
from explainer.errors import InvalidOption
from explainer.records import FloatArray


def labels(model: OpenedModel, data: FloatArray) -> IntArray:
    """What the entropy of a cell is about: the predicted class, or whether a prediction is above the median."""
    predicted = model.predict(data)
    if model.task == "classification":
        return np.asarray(predicted.argmax(axis=1), dtype=np.int64)
    return np.asarray(predicted[:, 0] > np.median(predicted[:, 0]), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the library is asked about: the subject, its background rows repeated by weight, and a label for each."""

    subject: Subject
    data: FloatArray
    labels: IntArray
    options: LimeOptions


def explained(asked: Asked, row: FloatArray, game: Game, seed: int) -> tuple[Outcome, tuple[str, ...]]:
    """The library's answer for each output in turn, and its rules; errors and stability are NaN, for it states none.

    Raises InvalidOption when a value is missing, which the library cannot treat.
    """
    if np.isnan(asked.data).any() or np.isnan(row).any():
        raise InvalidOption("LIME with entropy cells cannot treat missing values; use quartile or decile cells.")
    prediction, samples = game(row[None])[0], asked.options.samples
    fits = [_explained(asked, row, partial(_column, game, k), seed) for k in range(len(prediction))]
    coefficients = np.array([weights for weights, _, _, _ in fits]).T
    unknown = np.full_like(coefficients, np.nan)
    intercept, r2 = np.array([[intercept, r2] for _, intercept, r2, _ in fits]).T
    surrogate = Surrogate(coefficients, unknown, intercept, r2, np.full(len(fits), np.nan))
    return Outcome(surrogate, prediction, samples, 1 + samples * len(fits), "library"), fits[0][3]


def _column(game: Game, k: int, rows: FloatArray) -> FloatArray:
    return game(rows)[:, k]


def _explained(
    asked: Asked, row: FloatArray, output: Callable[[FloatArray], FloatArray], seed: int
) -> tuple[list[float], float, float, tuple[str, ...]]:
    """Weights, intercept, R2 and rules for one output, features in schema order."""
    from lime.lime_tabular import LimeTabularExplainer

    subject, options = asked.subject, asked.options
    categories = np.flatnonzero(subject.kinds).tolist()
    explainer = LimeTabularExplainer(
        asked.data,
        mode="regression",
        training_labels=asked.labels,
        feature_names=subject.names,
        categorical_features=categories,
        categorical_names={j: subject.labels[j] for j in categories},
        kernel_width=options.width(len(row)),
        feature_selection="none",
        discretizer="entropy",
        random_state=seed % 2**32,
    )
    found = explainer.explain_instance(row, output, num_features=len(row), num_samples=options.samples)
    weights = dict(found.local_exp[1])
    rules = dict(zip(weights, (rule for rule, _ in found.as_list()), strict=True))
    order = range(len(row))
    return [weights[j] for j in order], found.intercept[1], found.score, tuple(rules[j] for j in order)
