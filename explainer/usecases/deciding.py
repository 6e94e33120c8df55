"""Which outcome a score leads to, as the model's owner declared it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from explainer.records import DecisionSpec, FloatArray, Manifest


def score_of(manifest: Manifest, outputs: FloatArray) -> float:
    """Return what is compared with the threshold, from one row of model outputs of shape (outputs,).

    The probability of the positive class (of the likeliest one where none is declared), or a regression's value.
    """
    return float(scores_of(manifest, outputs[np.newaxis])[0])


def scores_of(manifest: Manifest, outputs: FloatArray) -> FloatArray:
    """Return the score of each row of `outputs`, of shape (n, outputs); the answer has shape (n,)."""
    if manifest.task == "regression":
        return outputs[:, 0]
    if manifest.positive_class is None:
        return np.asarray(outputs.max(axis=1))
    return outputs[:, manifest.classes.index(manifest.positive_class)]


def is_adverse(decision: DecisionSpec, score: float) -> bool:
    return bool(are_adverse(decision, np.array([score]))[0])


def are_adverse(decision: DecisionSpec, scores: FloatArray) -> npt.NDArray[np.bool_]:
    """Say of each score whether its outcome is the adverse one; a score at the threshold is 'at or above' it."""
    above = np.asarray(scores >= decision.threshold)
    return above if decision.adverse_when == "at_or_above" else ~above


def outcome_of(decision: DecisionSpec, score: float) -> str:
    """Return what the owner calls the outcome of a score."""
    return decision.adverse if is_adverse(decision, score) else decision.favourable
