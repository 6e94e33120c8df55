"""Classes of a library in the manifest's order, and margins turned into probabilities."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from explainer.attribution.model import IntArray, LinearTerms, Link, OpenedModel, Trees
from explainer.errors import ModelRefused
from explainer.records import FloatArray, Manifest


def class_order(found: Sequence[object], manifest: Manifest) -> IntArray:
    """`order` such that column `order[i]` of the library's answer belongs to `manifest.classes[i]`.

    Classes are compared as strings; a float class without a fraction counts as its integer.
    Raises ModelRefused when they are not the same set.
    """
    names = [class_name(c) for c in found]
    if sorted(names) != sorted(manifest.classes):
        raise ModelRefused(
            f"The model knows the classes {names}, the manifest says {list(manifest.classes)}; list the model's own."
        )
    return np.array([names.index(c) for c in manifest.classes], dtype=np.int64)


def class_name(label: object) -> str:
    """A class label as manifests write it: `1` for 1 and 1.0, `true`/`false` as Python spells them."""
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def probabilities(margins: FloatArray, link: Link) -> FloatArray:
    """Class probabilities (rows, classes) of margins (rows, 1) under `logistic` or (rows, classes) under `softmax`."""
    if link == "logistic":
        return _two(margins[:, 0])
    shifted = np.exp(margins - margins.max(axis=1, keepdims=True))
    result: FloatArray = shifted / shifted.sum(axis=1, keepdims=True)
    return result


def by_margin(
    margin: Callable[[FloatArray], FloatArray], link: Link, manifest: Manifest, library: str, version: str
) -> OpenedModel:
    """A classifier whose probabilities are the link of its margin, in the library's order of classes."""

    def predict(rows: FloatArray) -> FloatArray:
        return probabilities(margin(rows), link)

    return OpenedModel(predict, "classification", len(manifest.classes), library, version, link=link, margin=margin)


def with_first_class(second: FloatArray) -> FloatArray:
    """Both probabilities of a binary model that answers that of its second class only, shape (rows, 1)."""
    return np.column_stack([1.0 - second[:, 0], second[:, 0]])


def _two(margin: FloatArray) -> FloatArray:
    """Both probabilities of a binary margin, each without cancellation."""
    small = np.exp(-np.abs(margin))
    above, below = 1.0 / (1.0 + small), small / (1.0 + small)
    second = np.where(margin >= 0, above, below)
    first = np.where(margin >= 0, below, above)
    return np.column_stack([first, second])


def reordered(model: OpenedModel, order: IntArray) -> OpenedModel:
    """`model` with its classes taken in `order`; a single binary margin changes its sign when the two swap."""
    if np.array_equal(order, np.arange(len(order))):
        return model
    predict, margin = model.predict, model.margin
    swapped = model.link == "logistic"
    changes: dict[str, object] = {"predict": lambda rows: predict(rows)[:, order]}
    if margin is not None:
        changes["margin"] = (lambda rows: -margin(rows)) if swapped else (lambda rows: margin(rows)[:, order])
    if model.trees is not None:
        changes["trees"] = _trees(model.trees, order)
    if model.linear is not None:
        changes["linear"] = _linear(model.linear, order)
    return dataclasses.replace(model, **changes)  # type: ignore[arg-type]


def _trees(trees: Trees, order: IntArray) -> Trees:
    if len(trees.base) == 1:
        return dataclasses.replace(trees, value=-trees.value, base=-trees.base)
    return dataclasses.replace(trees, value=np.ascontiguousarray(trees.value[:, order]), base=trees.base[order])


def _linear(linear: LinearTerms, order: IntArray) -> LinearTerms:
    if len(linear.intercept) == 1:
        return LinearTerms(-linear.coefficients, -linear.intercept)
    return LinearTerms(np.ascontiguousarray(linear.coefficients[:, order]), linear.intercept[order])
