"""scikit-learn: trees, forests, gradient boosting and histogram gradient boosting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explainer.attribution.model import Link, Trees
from explainer.formats.structure.one_tree import (
    IN_SET,
    LARGEST_CATEGORY,
    SMALLER_OR_EQUAL,
    OneTree,
    together,
)
from explainer.records import FloatArray

FORESTS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")
SINGLE = ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor")
BOOSTED = ("GradientBoostingClassifier", "GradientBoostingRegressor")
HISTOGRAM = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
LOG_LINK_LOSSES = ("poisson", "gamma")


def read(fitted: object) -> tuple[Trees, Link] | None:
    """Convert an estimator fitted on numbers; None for anything else (`why_not` says why).

    A category column of a histogram model that was fitted on labels expects their positions in `category_labels`.
    """
    if why_not(fitted):
        return None
    name = type(fitted).__name__
    if name in SINGLE + FORESTS:
        return _forest(fitted)
    return _boosted(fitted) if name in BOOSTED else _histogram(fitted)


def why_not(fitted: object) -> str:
    """Why `read` answers None, in a sentence; empty when it converts."""
    name, estimator = type(fitted).__name__, _known(fitted)
    if estimator is None:
        return f"{name} is not a tree ensemble of scikit-learn that is known here."
    if isinstance(getattr(estimator, "classes_", None), list):
        return "A classifier of several labels at once has no single set of classes."
    if name in BOOSTED:
        return _boosted_reason(estimator)
    if name in HISTOGRAM:
        return _histogram_reason(estimator)
    return ""


def category_labels(fitted: object) -> dict[int, Sequence[object]]:
    """Labels of the category columns of a fitted histogram model, by input column: the Trees expect their positions.

    Columns whose categories are whole numbers from 0 on are left out: there the Trees expect the number itself.
    """
    return {c: labels for c, labels in _categories(fitted).items() if not _codes_themselves(labels)}


def _known(fitted: object) -> Any:
    if not type(fitted).__module__.startswith("sklearn."):
        return None
    return fitted if type(fitted).__name__ in SINGLE + FORESTS + BOOSTED + HISTOGRAM else None


# --- trees and forests -----------------------------------------------------------------------------------------------


def _forest(fitted: Any) -> tuple[Trees, Link]:
    members = getattr(fitted, "estimators_", [fitted])
    parts = [_tree(member.tree_, len(members), hasattr(fitted, "classes_")) for member in members]
    return together(parts, np.zeros(parts[0].value.shape[1]), single=True), "identity"


def _tree(tree: Any, members: int, classifier: bool) -> OneTree:
    value = np.asarray(tree.value, dtype=np.float64)
    value = value[:, 0, :] / value[:, 0, :].sum(axis=1, keepdims=True) if classifier else value[:, :, 0]
    return _arrays(tree, value / members)


def _arrays(tree: Any, value: FloatArray) -> OneTree:
    nodes = len(value)
    missing = getattr(tree, "missing_go_to_left", None)
    return OneTree(
        column=np.maximum(tree.feature, 0),
        kind=np.full(nodes, SMALLER_OR_EQUAL),
        threshold=tree.threshold,
        left=tree.children_left,
        right=tree.children_right,
        missing_left=np.zeros(nodes, bool) if missing is None else np.asarray(missing, dtype=bool),
        value=value,
        cover=tree.weighted_n_node_samples,
    )


# --- gradient boosting -----------------------------------------------------------------------------------------------


def _boosted_reason(fitted: Any) -> str:
    if getattr(fitted, "loss", None) == "exponential":
        return "Gradient boosting with exponential loss has a margin that is half a log-odds; it is not supported here."
    if fitted.init_ != "zero" and type(fitted.init_).__name__ not in {"DummyClassifier", "DummyRegressor"}:
        return "Gradient boosting starts from a model of its own (init), which is not a constant."
    return ""


def _boosted(fitted: Any) -> tuple[Trees, Link]:
    stages = fitted.estimators_
    outputs = stages.shape[1]
    parts = []
    for i, member in enumerate(stages.reshape(-1)):
        tree = member.tree_
        value = np.zeros((tree.node_count, outputs))
        value[:, i % outputs] = tree.value[:, 0, 0] * fitted.learning_rate
        parts.append(_arrays(tree, value))
    return together(parts, _start(fitted, outputs), single=True), _link(fitted, outputs)


def _start(fitted: Any, outputs: int) -> FloatArray:
    """The constant that boosting starts from: the margin of any row without what the trees add."""
    if fitted.init_ == "zero":
        return np.zeros(outputs)
    row = np.zeros((1, fitted.n_features_in_))
    return np.asarray(fitted._raw_predict_init(row), dtype=np.float64).reshape(-1)


def _link(fitted: Any, outputs: int) -> Link:
    if not hasattr(fitted, "classes_"):
        return "identity"
    return "logistic" if outputs == 1 else "softmax"


# --- histogram gradient boosting -------------------------------------------------------------------------------------


def _histogram_reason(fitted: Any) -> str:
    if getattr(fitted, "loss", None) in LOG_LINK_LOSSES:
        return f"The loss '{fitted.loss}' predicts the exponential of the margin, a link that is not supported here."
    for labels in _categories(fitted).values():
        if _codes_themselves(labels) and len(labels) and float(labels[-1]) >= LARGEST_CATEGORY:
            return f"A category code is {LARGEST_CATEGORY} or larger."
    return ""


def _categories(fitted: Any) -> dict[int, Any]:
    """Fitted labels, missing values left out, of each category column, by column of the input."""
    flags = getattr(fitted, "is_categorical_", None)
    if flags is None or getattr(fitted, "_preprocessor", None) is None:
        return {}
    encoder = fitted._preprocessor.named_transformers_["encoder"]
    kept = [[v for v in labels if not _missing(v)] for labels in encoder.categories_]
    return dict(zip(np.flatnonzero(flags).tolist(), kept, strict=True))


def _missing(label: object) -> bool:
    return label is None or (isinstance(label, float) and np.isnan(label))


def _codes_themselves(labels: Sequence[object]) -> bool:
    return all(isinstance(v, int | float | np.number) and float(v) >= 0 and float(v).is_integer() for v in labels)


def _histogram(fitted: Any) -> tuple[Trees, Link]:
    stages = fitted._predictors
    outputs = len(stages[0])
    base = np.asarray(fitted._baseline_prediction, dtype=np.float64).reshape(-1)
    column, codes = _origin(fitted)
    parts = [_grown(member, k, outputs, column, codes) for stage in stages for k, member in enumerate(stage)]
    return together(parts, base, single=False), _link(fitted, outputs)


def _origin(fitted: Any) -> tuple[list[int], dict[int, list[int]]]:
    """The input column of each column that the trees see, and what the input holds for each encoded category."""
    categories = _categories(fitted)
    others = [c for c in range(fitted.n_features_in_) if c not in categories]
    codes = {
        i: [int(v) for v in labels] if _codes_themselves(labels) else list(range(len(labels)))
        for i, labels in enumerate(categories.values())
    }
    return [*categories, *others], codes


def _grown(member: Any, group: int, outputs: int, column: list[int], codes: dict[int, list[int]]) -> OneTree:
    nodes = member.nodes
    leaf = nodes["is_leaf"].astype(bool)
    category = nodes["is_categorical"].astype(bool) & ~leaf
    missing_left = nodes["missing_go_to_left"].astype(bool)
    sets = {
        int(n): _members(member.raw_left_cat_bitsets[nodes["bitset_idx"][n]], codes[int(nodes["feature_idx"][n])])
        for n in np.flatnonzero(category)
    }
    # An unknown category goes where missing values go. Outside the set means right, so where missing values go left
    # the test is turned round: the set holds the known categories of the right side.
    turned = category & missing_left
    for n in np.flatnonzero(turned):
        sets[int(n)] = [c for c in codes[int(nodes["feature_idx"][n])] if c not in set(sets[int(n)])]
    left = np.where(leaf, -1, nodes["left"].astype(np.int64))
    right = np.where(leaf, -1, nodes["right"].astype(np.int64))
    value = np.zeros((len(nodes), outputs))
    value[:, group] = nodes["value"]
    return OneTree(
        column=np.asarray(column)[nodes["feature_idx"]],
        kind=np.where(category, IN_SET, SMALLER_OR_EQUAL),
        threshold=nodes["num_threshold"],
        left=np.where(turned, right, left),
        right=np.where(turned, left, right),
        missing_left=missing_left & ~turned,
        value=value,
        cover=nodes["count"],
        sets=sets,
    )


def _members(bitset: Any, codes: list[int]) -> list[int]:
    """What the input holds for the encoded categories whose bits are set (eight words of 32)."""
    return [code for i, code in enumerate(codes) if (int(bitset[i >> 5]) >> (i & 31)) & 1]
