"""Proves that an answer adds up and is finite, or refuses to serve it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainer.attribution.model import BoolArray
from explainer.attribution.ports import Attributions
from explainer.errors import ModelFailed
from explainer.records import FloatArray

PRECISION = 1e-6  # of the scale, for an exact answer
SINGLE = 2e-5  # the same for trees, whose libraries add in single precision: 2,000 trees were seen to be off by 2e-6


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far an answer may be off: a share of the scale, which is at least `floor`, and z stated errors if sampled."""

    floor: float
    z: float
    share: float = PRECISION


def finite(answer: Attributions, method: str) -> None:
    """Raises ModelFailed when a value, an expected value or a known standard error is not finite."""
    known = np.where(np.isnan(answer.standard_errors), 0.0, answer.standard_errors)
    if not all(np.isfinite(part).all() for part in (answer.values, answer.expected, known)):
        raise ModelFailed(f"Method {method!r} gave numbers that are not finite; the answer is withheld.")


def additivity(answer: Attributions, predictions: FloatArray, bounds: Bounds, method: str) -> FloatArray:
    """Gaps |expected + sum of attributions - prediction|, shape (rows, outputs), in units of the output.

    `predictions` (rows, outputs) are the model's own. Raises ModelFailed when a gap exceeds the bounds' share of the
    scale (|prediction| + |expected| + sum of |attributions|), to which a sampled answer may add its stated error:
    z times the sum of its standard errors; an exact one has none but those that a noisy model gave it.
    """
    gaps = off(answer, predictions)
    allowed = rounding(answer, predictions, bounds) + bounds.z * np.nansum(answer.standard_errors, axis=1)
    if (gaps > allowed).any():
        row, output = np.unravel_index(int(np.argmax(gaps - allowed)), gaps.shape)
        raise ModelFailed(
            f"Method {method!r} gave attributions that miss the model's prediction {predictions[row, output]:.6g} by "
            f"{gaps[row, output]:.3g}, more than the {allowed[row, output]:.3g} that may be; the answer is withheld. "
            "Does the model answer the same row differently from call to call?"
        )
    return np.asarray(gaps)


def off(answer: Attributions, predictions: FloatArray) -> FloatArray:
    """How far the sums miss the predictions (rows, outputs), in size."""
    return np.asarray(np.abs(answer.expected + answer.values.sum(axis=1) - predictions))


def rounding(answer: Attributions, predictions: FloatArray, bounds: Bounds) -> FloatArray:
    """How far rounding alone may bring them apart (rows, outputs)."""
    return np.asarray(bounds.share * _scale(answer, predictions, bounds))


def coarse(answer: Attributions, predictions: FloatArray, gaps: FloatArray, bounds: Bounds) -> BoolArray:
    """Where an exact answer is off by more than PRECISION of the scale, shape (rows, outputs): the reader is told."""
    return np.asarray(answer.exact & (gaps > PRECISION * _scale(answer, predictions, bounds)))


def _scale(answer: Attributions, predictions: FloatArray, bounds: Bounds) -> FloatArray:
    scale = np.abs(predictions) + np.abs(answer.expected) + np.abs(answer.values).sum(axis=1)
    return np.asarray(np.maximum(scale, bounds.floor))
