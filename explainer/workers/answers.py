"""The web process trusts no worker: what one answers is checked for its shape, and every number for being finite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explainer.errors import ModelFailed
from explainer.records import Explanation, FloatArray, Interactions


def checked_predictions(predictions: FloatArray, rows: int, outputs: int) -> FloatArray:
    """Return `predictions` if it is a finite matrix (rows, outputs); raises ModelFailed saying what is wrong."""
    if predictions.shape != (rows, outputs):
        raise ModelFailed(f"The model answered {predictions.shape} predictions where {(rows, outputs)} were expected.")
    finite = np.isfinite(predictions).all(axis=1)
    if not finite.all():
        raise ModelFailed(
            f"The model answered a prediction that is not a finite number for {int((~finite).sum())} of {rows} rows, "
            f"the first of them row {int(np.argmin(finite))}."
        )
    return predictions


def checked_explanations(
    answers: Sequence[tuple[Explanation, ...]], rows: int, features: int, outputs: int
) -> list[tuple[Explanation, ...]]:
    """Return `answers` if each row has 1 to `outputs` whole, finite explanations; raises ModelFailed otherwise."""
    if len(answers) != rows:
        raise ModelFailed(f"The model's process explained {len(answers)} rows where {rows} were asked for.")
    for row, explanations in enumerate(answers):
        if not 1 <= len(explanations) <= max(outputs, 1):
            raise ModelFailed(f"The model's process gave {len(explanations)} explanations for row {row}.")
        for explanation in explanations:
            _check(explanation, row, features)
    return list(answers)


def checked_interactions(
    answers: Sequence[tuple[Interactions, ...]], rows: int, features: int, outputs: int
) -> list[tuple[Interactions, ...]]:
    """Return `answers` if each row has 1 to `outputs` whole, finite matrices; raises ModelFailed otherwise."""
    if len(answers) != rows:
        raise ModelFailed(f"The model's process answered {len(answers)} rows where {rows} were asked for.")
    for row, found in enumerate(answers):
        if not 1 <= len(found) <= max(outputs, 1):
            raise ModelFailed(f"The model's process gave {len(found)} interaction matrices for row {row}.")
        if any(f.values.shape != (features, features) or f.standard_errors.shape != f.values.shape for f in found):
            raise ModelFailed(f"The interactions of row {row} are not those of {features} features.")
        if not all(_sound(f) for f in found):
            raise ModelFailed(f"The interactions of row {row} hold a number that is not finite, or a negative error.")
    return list(answers)


def _sound(found: Interactions) -> bool:
    numbers = math.isfinite(found.prediction) and math.isfinite(found.expected_value)
    errors = found.standard_errors
    return numbers and bool(np.isfinite(found.values).all() and np.isfinite(errors).all() and (errors >= 0).all())


def _check(explanation: Explanation, row: int, features: int) -> None:
    if len(explanation.attributions) != features or len(explanation.standard_errors) != features:
        raise ModelFailed(
            f"The explanation of row {row} has {len(explanation.attributions)} attributions for {features} features."
        )
    numbers = (explanation.prediction, explanation.expected_value, *explanation.attributions)
    known = [error for error in explanation.standard_errors if error is not None]
    if not all(map(math.isfinite, numbers)) or not all(0 <= error < math.inf for error in known):
        raise ModelFailed(f"The explanation of row {row} holds a number that is not finite, or a negative error.")
