"""Puts what is known of a model's inside, trees or a weighted sum, beside its predictions, once proven."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from explainer.attribution.model import Columns, Link, OpenedModel, Trees
from explainer.formats.structure import linear_sklearn, trees_catboost, trees_lightgbm, trees_sklearn, trees_xgboost
from explainer.records import FloatArray, Notice

Margin = Callable[[FloatArray], FloatArray]
TOLERANCE = 2e-5  # of the margin's scale: libraries that sum in float32 stay below 1e-6 a hundred trees
_READERS: dict[str, ModuleType] = {
    "sklearn": trees_sklearn,
    "xgboost": trees_xgboost,
    "lightgbm": trees_lightgbm,
    "catboost": trees_catboost,
}
_TREES = frozenset(trees_sklearn.SINGLE + trees_sklearn.FORESTS + trees_sklearn.BOOSTED + trees_sklearn.HISTOGRAM)


def reveal(model: OpenedModel, fitted: Any, margin: Margin, rows: FloatArray) -> OpenedModel:
    """`model` with link, margin and trees or linear terms as far as they are known; notices say what is not.

    `margin` answers before a logistic or softmax link, shape (rows, margins); a model with the identity link has its
    predictions as margin. The structure is compared with it on coded `rows` and left out where they differ.
    """
    linear = linear_sklearn.read(fitted)
    if linear is not None:
        terms, link = linear
        return _margin(dataclasses.replace(model, linear=terms), link, margin)
    reader = _READERS.get(type(fitted).__module__.partition(".")[0])
    found = reader.read(fitted) if reader is not None else None
    if found is None:
        return dataclasses.replace(model, notices=(*model.notices, *_why_not(reader, fitted)))
    trees, link = found
    if link == "logistic" and model.task == "regression":
        why = "Its trees sum to a margin that a logistic function bends; a regression is explained in its own units."
        return dataclasses.replace(model, notices=(*model.notices, _notice(why)))
    return _proven(_margin(dataclasses.replace(model, trees=trees), link, margin), trees, rows)


def _margin(model: OpenedModel, link: Link, margin: Margin) -> OpenedModel:
    return dataclasses.replace(model, link=link, margin=model.predict if link == "identity" else margin)


def _proven(model: OpenedModel, trees: Trees, rows: FloatArray) -> OpenedModel:
    from explainer.attribution.trees.evaluate import evaluate

    margin = model.margin or model.predict
    expected = margin(rows)
    found = evaluate(trees, encoded(model.columns, rows))
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    if found.shape == expected.shape and float(np.abs(found - expected).max(initial=0.0)) <= TOLERANCE * scale:
        return model
    why = "The trees that were read from it do not add up to its own margin, so they are not used."
    return dataclasses.replace(model, trees=None, notices=(*model.notices, _notice(why)))


def encoded(columns: Columns | None, rows: FloatArray) -> FloatArray:
    return rows if columns is None else columns.encode(rows)


def _why_not(reader: ModuleType | None, fitted: Any) -> tuple[Notice, ...]:
    """A sentence for models that look like tree ensembles; nothing for those that are plainly something else."""
    if reader is None or (reader is trees_sklearn and type(fitted).__name__ not in _TREES):
        return ()
    return (_notice(reader.why_not(fitted)),)


def _notice(why: str) -> Notice:
    return Notice("structure-unknown", f"The model is explained as a black box. {why}")
