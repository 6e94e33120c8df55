"""What lies inside a fitted scikit-learn estimator: walk it, make it single-threaded, find unsafe node numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from explainer.errors import Problem

MAX_PARTS = 2_000_000
_LEAF = -1
_LIBRARIES = ("sklearn.", "scipy.sparse", "xgboost.", "lightgbm.")


def parts(root: object) -> Iterator[Any]:
    """Every object of scikit-learn, scipy or a model library that `root` is made of, itself first, each once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting and len(seen) < MAX_PARTS:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple, set)):
            waiting.extend(v for v in one if not isinstance(v, (str, int, float)))
        elif isinstance(one, np.ndarray):
            waiting.extend(one.ravel() if one.dtype == object else ())
        elif type(one).__module__.startswith(_LIBRARIES):
            yield one
            waiting.extend(getattr(one, "__dict__", {}).values())


def make_serial(root: object) -> None:
    """Set every `n_jobs` to 1: threads of scikit-learn change neither answers nor the machine's load from then on."""
    for part in parts(root):
        if getattr(part, "n_jobs", 1) != 1:
            part.n_jobs = 1


def unsound(root: object) -> list[Problem]:
    """Node numbers, feature numbers and array shapes that native code would follow out of bounds."""
    found: list[Problem] = []
    for part in parts(root):
        kind = type(part).__name__
        needs, check = _CHECKS.get(kind, ("", None))
        if check is None or not hasattr(part, needs):  # not fitted: a template that other estimators copied
            continue
        try:
            detail = check(part)
        except (AttributeError, TypeError, ValueError, KeyError, IndexError) as error:
            detail = f"it is not built as scikit-learn builds it: {error!r}."
        if detail:
            found.append(Problem("model.file", "structure", f"{kind}: {detail}"))
    return found[:20]


def _tree_owner(estimator: Any) -> str | None:
    tree = estimator.tree_
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != _LEAF
    number = np.arange(len(left))
    wrong = (left <= number) | (right <= number) | (left >= len(left)) | (right >= len(left))
    if not len(left) or (wrong & inner).any():
        return "a tree's child is not one of the nodes after it."
    if int(tree.n_features) != int(estimator.n_features_in_):
        return f"a tree of {tree.n_features} features belongs to an estimator of {estimator.n_features_in_}."
    if ((feature < 0) | (feature >= tree.n_features))[inner].any():
        return "a tree tests a feature that is not there."
    return None


def _histogram_tree(predictor: Any) -> str | None:
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    number = np.arange(len(nodes))
    for side in ("left", "right"):
        child = nodes[side].astype(np.int64)
        if not len(nodes) or (((child <= number) | (child >= len(nodes))) & inner).any():
            return "a tree's child is not one of the nodes after it."
    sets = len(predictor.raw_left_cat_bitsets)
    if (nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)] >= sets).any():
        return "a tree names a set of categories that is not there."
    return None


def _histogram_boosting(estimator: Any) -> str | None:
    width = int(estimator.n_features_in_)
    for predictors in estimator._predictors:
        if len(predictors) != estimator.n_trees_per_iteration_:
            return "an iteration has another number of trees than the model's outputs."
        for predictor in predictors:
            nodes = predictor.nodes
            if (nodes["feature_idx"][nodes["is_leaf"] == 0].astype(np.int64) >= width).any():
                return "a tree tests a feature that is not there."
    return None


def _boosting(estimator: Any) -> str | None:
    trees = estimator.estimators_
    width = getattr(estimator, "n_trees_per_iteration_", trees.shape[1] if trees.ndim == 2 else 0)
    if trees.ndim != 2 or trees.shape[1] != width:
        return "its trees do not fit its number of outputs."
    if any(int(t.n_features_in_) != int(estimator.n_features_in_) for t in trees.ravel()):
        return "a tree has another number of features than the ensemble."
    return None


def _forest(estimator: Any) -> str | None:
    if any(int(t.n_features_in_) != int(estimator.n_features_in_) for t in estimator.estimators_):
        return "a tree has another number of features than the ensemble."
    return None


def _sparse(matrix: Any) -> str | None:
    try:
        matrix.check_format(full_check=True)
    except ValueError as error:
        return f"a sparse matrix is inconsistent: {error}."
    return None


def _vector_machine(estimator: Any) -> str | None:
    vectors, support = estimator.support_vectors_, np.asarray(estimator._n_support)
    count = vectors.shape[0]
    if estimator._impl in ("c_svc", "nu_svc"):
        classes = len(estimator.classes_)
        if len(support) != classes or int(support.sum()) != count or (support < 0).any():
            return "its counts of support vectors do not add up."
        pairs = classes * (classes - 1) // 2
        shapes_fit = estimator._dual_coef_.shape == (classes - 1, count) and len(estimator._intercept_) == pairs
    else:
        shapes_fit = estimator._dual_coef_.shape == (1, count) and len(estimator._intercept_) == 1
    if not shapes_fit or vectors.shape[1] != estimator.n_features_in_:
        return "its arrays do not fit one another."
    return None


_CHECKS: dict[str, tuple[str, Callable[[Any], str | None]]] = {
    "DecisionTreeClassifier": ("tree_", _tree_owner),
    "DecisionTreeRegressor": ("tree_", _tree_owner),
    "ExtraTreeClassifier": ("tree_", _tree_owner),
    "ExtraTreeRegressor": ("tree_", _tree_owner),
    "GradientBoostingClassifier": ("estimators_", _boosting),
    "GradientBoostingRegressor": ("estimators_", _boosting),
    "HistGradientBoostingClassifier": ("_predictors", _histogram_boosting),
    "HistGradientBoostingRegressor": ("_predictors", _histogram_boosting),
    "RandomForestClassifier": ("estimators_", _forest),
    "RandomForestRegressor": ("estimators_", _forest),
    "ExtraTreesClassifier": ("estimators_", _forest),
    "ExtraTreesRegressor": ("estimators_", _forest),
    "TreePredictor": ("nodes", _histogram_tree),
    "csr_matrix": ("indices", _sparse),
    "csr_array": ("indices", _sparse),
    **{kind: ("support_vectors_", _vector_machine) for kind in ("SVC", "NuSVC", "SVR", "NuSVR")},
}
"""For each kind of part: the attribute it has once fitted, and what must hold."""
