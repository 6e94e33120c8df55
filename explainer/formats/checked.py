"""Rows are checked before a model's code sees them, and its answers before anyone else does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from explainer.attribution.model import OpenedModel, Replica
from explainer.errors import ModelFailed, ModelRefused
from explainer.records import Feature, FloatArray, LoadOrder

Answer = Callable[[FloatArray], FloatArray]
TRIED_ROWS = 64


class UncodedRowsError(ValueError):
    """Rows that are not in coded form; a mistake of the caller inside the house, never of a client."""


def checked(model: OpenedModel, order: LoadOrder) -> OpenedModel:
    """`model` with its functions behind the checks, tried on the first background rows.

    Raises ModelRefused when the number of outputs is not the manifest's, ModelFailed when the answers are not usable.
    """
    manifest = order.manifest
    expected = len(manifest.classes) if manifest.task == "classification" else 1
    if model.outputs != expected:
        raise ModelRefused(
            f"The model of '{manifest.name}' has {model.outputs} outputs; "
            f"{manifest.task} by its manifest needs {expected}."
        )
    rows = _RowCheck(manifest.features)
    predict = _guard(model.predict, rows, model.outputs, "prediction")
    margin, replica = None, model.replica
    width = 1 if model.link == "logistic" else model.outputs
    if model.margin is not None:
        margin = _guard(model.margin, rows, width, "margin")
    if replica is not None:
        quick = _guard(replica.predict, rows, model.outputs, "prediction")
        replica = Replica(quick, _guard(replica.margin, rows, width, "margin"))
    tried = predict(order.background[:TRIED_ROWS])
    if manifest.remote is None:
        refuse_missing(predict, order)
    if manifest.task == "classification":
        _refuse_improper(tried, manifest.name)
    if margin is not None:
        margin(order.background[:TRIED_ROWS])
    return dataclasses.replace(model, predict=predict, margin=margin, replica=replica)


def refuse_missing(predict: Answer, order: LoadOrder) -> None:
    """Raises ModelRefused naming the first feature that the schema lets be missing and the model does not."""
    for place, feature in enumerate(order.manifest.features):
        if not feature.nullable or not len(order.background):
            continue
        row = order.background[:1].copy()
        row[0, place] = np.nan
        try:
            predict(row)
        except (ValueError, TypeError, RuntimeError, ModelFailed) as error:
            raise ModelRefused(
                f"Feature '{feature.name}' may be missing by the schema, which the model refuses: "
                f"{str(error).splitlines()[0]} Set nullable = false, or let the model impute it."
            ) from error


class _RowCheck:
    """Whether a matrix is in coded form for these features."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self.width = len(features)
        self.names = [f.name for f in features]
        sizes = [{"category": len(f.categories), "boolean": 2}.get(f.type, 0) for f in features]
        self.coded = np.flatnonzero(sizes)
        self.most = np.array([s - 1.0 for s in sizes if s])

    def __call__(self, rows: FloatArray) -> FloatArray:
        if rows.ndim != 2 or rows.shape[1] != self.width or rows.dtype != np.float64:
            raise UncodedRowsError(
                f"Rows must be a float64 matrix with {self.width} columns, not {rows.dtype}{rows.shape}."
            )
        if np.isinf(rows).any():
            raise UncodedRowsError("Rows hold an infinite value.")
        codes = rows[:, self.coded]
        bad = (codes < 0) | (codes > self.most) | (codes != np.floor(codes))
        bad &= ~np.isnan(codes)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            name = self.names[self.coded[column]]
            raise UncodedRowsError(f"Row {row}: {codes[row, column]} is not a code of feature '{name}'.")
        return np.ascontiguousarray(rows)


def _guard(function: Answer, rows_of: _RowCheck, width: int, what: str) -> Answer:
    def guarded(rows: FloatArray) -> FloatArray:
        given = rows_of(rows)
        if not len(given):
            return np.zeros((0, width))
        answer = np.asarray(function(given), dtype=np.float64)
        if answer.shape != (len(given), width):
            raise ModelFailed(
                f"The model's {what} for {len(given)} rows has shape {answer.shape}; it must be {(len(given), width)}."
            )
        if not np.isfinite(answer).all():
            row = int(np.argwhere(~np.isfinite(answer))[0][0])
            raise ModelFailed(f"The model's {what} for row {row} is not a finite number.")
        return answer

    return guarded


def _refuse_improper(probabilities: FloatArray, name: str) -> None:
    if not len(probabilities):
        return
    off = float(np.abs(probabilities.sum(axis=1) - 1.0).max())
    low = float(probabilities.min())
    if low < 0.0 or off > 1e-3:
        raise ModelRefused(
            f"The outputs of '{name}' are not probabilities: the smallest is {low:.6g}, and a row's sum differs from 1 "
            f"by {off:.3g}. Save the model so that it answers one probability for each class."
        )
