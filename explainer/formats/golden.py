"""Golden predictions: every opening must reproduce what the model answered when it was made."""

from __future__ import annotations

import numpy as np

from explainer.attribution.model import OpenedModel
from explainer.errors import Problem
from explainer.records import FloatArray, GoldenSpec

TOLERANCE = 1e-5


def compare_golden(
    model: OpenedModel, rows: FloatArray, predictions: FloatArray, made_with: GoldenSpec
) -> list[Problem]:
    """What differs between `predictions` (rows, outputs) and the model's answers for coded `rows`; empty when equal.

    A difference counts from 1e-5 of scale: of 1 for probabilities; for regression of the largest absolute golden
    prediction of that output, or of 1 where all of them are zero. float32 libraries stay below 1e-6.
    """
    if not len(rows):
        return [Problem("golden", "empty", "There is no golden row, so nothing proves that the model opened rightly.")]
    answers = model.predict(rows)
    if answers.shape != predictions.shape:
        detail = f"Golden predictions have shape {predictions.shape}, the model answers {answers.shape}."
        return [Problem("golden", "shape", detail)]
    scale = np.ones(answers.shape[1]) if model.task == "classification" else _scale(predictions)
    difference = np.abs(answers - predictions) / scale
    largest = float(np.nan_to_num(difference, nan=np.inf).max())
    if largest <= TOLERANCE:
        return []
    row, output = np.unravel_index(int(np.nan_to_num(difference, nan=np.inf).argmax()), difference.shape)
    detail = (
        f"{_count(difference)} of {len(rows)} golden rows differ; the most in row {row}, output {output}: "
        f"{answers[row, output]:.9g} now, {predictions[row, output]:.9g} when the model was made, "
        f"{largest:.3g} of scale where {TOLERANCE:g} is allowed. {_versions(model, made_with)}"
    )
    return [Problem("golden", "reproduce", detail)]


def _scale(predictions: FloatArray) -> FloatArray:
    largest: FloatArray = np.abs(predictions).max(axis=0)
    return np.where(largest > 0, largest, 1.0)


def _count(difference: FloatArray) -> int:
    return int((~(difference <= TOLERANCE)).any(axis=1).sum())


def _versions(model: OpenedModel, made_with: GoldenSpec) -> str:
    if not made_with.library:  # a remote model: its library is not known here
        return "The model was changed where it is served, or the schema is another one: register it as a new version."
    made = f"It was made with {made_with.library} {made_with.version}"
    now = f"{model.library} {model.library_version}"
    if (made_with.library, made_with.version) == (model.library, model.library_version):
        return (
            f"{made}, the same as now: the model file, the schema or the order of classes is another one, "
            "or the golden predictions are wrong."
        )
    return f"{made} and is opened with {now}: install that version, or save the model again with this one."
