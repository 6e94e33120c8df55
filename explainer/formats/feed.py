"""What a fitted scikit-learn estimator takes as its input: a frame of raw values, or the coded matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.attribution.model import Columns
from explainer.errors import ModelRefused
from explainer.formats.fitted import parts
from explainer.formats.frames import frame_maker
from explainer.formats.structure.tracks import NotPerColumnError
from explainer.records import Feature, FloatArray, Manifest


@dataclass(frozen=True, slots=True)
class Feed:
    """`make` turns coded rows into the estimator's input, whose column i is feature `inputs[i]`."""

    make: Callable[[FloatArray], Any]
    inputs: tuple[int, ...]
    named: bool
    labelled: bool = False  # some of its columns hold labels

    def columns(self, estimator: Any, features: Sequence[Feature]) -> Columns | None:
        """Columns of an estimator without a pipeline; None when it is fed the coded matrix as it is."""
        if not self.named:
            return None
        if self.labelled:
            return _labelled(estimator, features, self.inputs)
        order = np.array(self.inputs, dtype=np.int64)
        return Columns(encode=lambda rows: np.ascontiguousarray(rows[:, order]), owner=order)


def feed_of(estimator: Any, manifest: Manifest) -> Feed:
    """The input of `estimator`; raises ModelRefused when the names it was fitted with are not the schema's."""
    names = getattr(estimator, "feature_names_in_", None)
    schema = [f.name for f in manifest.features]
    if names is None:
        return Feed(lambda rows: rows, tuple(range(len(schema))), named=False)
    fitted = [str(n) for n in names]
    if sorted(fitted) != sorted(schema):
        unknown = sorted(set(schema) - set(fitted))
        lacking = sorted(set(fitted) - set(schema))
        raise ModelRefused(
            f"The model was fitted with other columns than the schema's: the schema lacks {lacking or 'none'}, "
            f"the model does not know {unknown or 'none'}."
        )
    make = frame_maker(manifest.features, fitted, missing_marker(estimator))
    labelled = any(f.type == "category" for f in manifest.features)
    return Feed(make, tuple(schema.index(n) for n in fitted), named=True, labelled=labelled)


def missing_marker(estimator: Any) -> object:
    """What the estimator's encoders and imputers know as a missing label: None where one of them says so, else NaN."""
    for part in parts(estimator):
        found = getattr(part, "categories_", None)
        if isinstance(found, list) and any(v is None for values in found for v in np.asarray(values, object).ravel()):
            return None
        if type(part).__name__ in ("SimpleImputer", "MissingIndicator") and part.missing_values is None:
            return None
    return np.nan


def _labelled(estimator: Any, features: Sequence[Feature], inputs: Sequence[int]) -> Columns:
    """Codes as positions among the labels that a histogram model was fitted on, -1 for one it never met."""
    from explainer.formats.structure import trees_sklearn

    if getattr(estimator, "_preprocessor", None) is None:
        raise NotPerColumnError("its estimator takes labels by a way of its own")
    known = trees_sklearn.category_labels(estimator)
    tables = {c: _positions(features[inputs[c]], list(labels)) for c, labels in known.items()}
    unread = [features[i].name for c, i in enumerate(inputs) if features[i].type == "category" and c not in tables]
    if unread:
        raise NotPerColumnError(f"its estimator reads the labels of '{unread[0]}' as numbers")
    order = np.array(inputs, dtype=np.int64)

    def encode(rows: FloatArray) -> FloatArray:
        made = np.ascontiguousarray(rows[:, order])
        for column, table in tables.items():
            codes = made[:, column]
            made[:, column] = table[np.where(np.isnan(codes), len(table) - 1.0, codes).astype(np.intp)]
        return made

    return Columns(encode=encode, owner=order)


def _positions(feature: Feature, labels: list[object]) -> FloatArray:
    raw: tuple[object, ...] = feature.categories if feature.type == "category" else (False, True)
    return np.array([*(float(labels.index(v)) if v in labels else -1.0 for v in raw), np.nan])
