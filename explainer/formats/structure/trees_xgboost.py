"""XGBoost: boosters read from their own JSON, base score and native categories included."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from explainer.attribution.model import Link, Trees
from explainer.formats.structure.one_tree import IN_SET, LARGEST_CATEGORY, SMALLER, OneTree, together
from explainer.records import FloatArray

LINKS: dict[str, Link] = {
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:absoluteerror": "identity",
    "reg:quantileerror": "identity",
    "rank:ndcg": "identity",
    "rank:map": "identity",
    "rank:pairwise": "identity",
    "reg:logistic": "logistic",
    "binary:logistic": "logistic",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
}


def read(fitted: object, *, rounds: int | None = None) -> tuple[Trees, Link] | None:
    """Convert a Booster, or an XGBModel up to its best iteration; None for anything else (`why_not` says why).

    `rounds` limits a Booster to its first boosting rounds; without it all are used, as by `Booster.predict`.
    """
    booster = _booster(fitted)
    if booster is None or why_not(fitted):
        return None
    if rounds is None and booster is not fitted:
        rounds = _best(fitted)
    learner = _learner(booster)
    outputs = _outputs(learner)
    model, weights = _trees(learner)
    used = _used(model, rounds)
    parts = [
        _tree(tree, int(group), outputs, weight)
        for tree, group, weight in zip(model["trees"][:used], model["tree_info"], weights, strict=False)
    ]
    return together(parts, _base(learner, outputs), single=True), LINKS[learner["objective"]["name"]]


def why_not(fitted: object) -> str:
    """Why `read` answers None, in a sentence; empty when it converts."""
    booster = _booster(fitted)
    if booster is None:
        return "It is not an XGBoost model."
    learner = _learner(booster)
    name, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if name not in {"gbtree", "dart"} or not _trees(learner)[0]["trees"]:
        return f"This XGBoost model of booster '{name}' has no trees."
    if objective not in LINKS:
        return f"The objective '{objective}' turns margins into predictions by a link that is not supported here."
    trees = _trees(learner)[0]["trees"]
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        return "XGBoost trees with vector leaves (multi_strategy='multi_output_tree') are not supported here."
    if any(max(tree["categories"], default=0) >= LARGEST_CATEGORY for tree in trees):
        return f"A category code is {LARGEST_CATEGORY} or larger."
    return ""


def _booster(fitted: object) -> Any:
    if not type(fitted).__module__.startswith("xgboost."):
        return None
    import xgboost

    if isinstance(fitted, xgboost.Booster):
        return fitted
    return fitted.get_booster() if isinstance(fitted, xgboost.XGBModel) else None


def _best(fitted: Any) -> int | None:
    try:
        return int(fitted.best_iteration) + 1
    except AttributeError:
        return None


def _learner(booster: Any) -> dict[str, Any]:
    learner: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))["learner"]
    return learner


def _outputs(learner: dict[str, Any]) -> int:
    parameters = learner["learner_model_param"]
    return max(int(parameters["num_class"]), int(parameters.get("num_target", 1)), 1)


def _trees(learner: dict[str, Any]) -> tuple[dict[str, Any], list[float]]:
    booster = learner["gradient_booster"]
    if booster["name"] == "dart":
        return booster["gbtree"]["model"], [float(np.float32(w)) for w in booster["weight_drop"]]
    model = booster["model"]  # since 3.4 it holds the weights of dropout itself
    weights = model.get("weight_drop") or [1.0] * len(model.get("trees", []))
    return model, [float(np.float32(w)) for w in weights]


def _used(model: dict[str, Any], rounds: int | None) -> int:
    total = len(model["trees"])
    if rounds is None:
        return total
    if pointer := model.get("iteration_indptr"):
        return int(pointer[min(rounds, len(pointer) - 1)])
    groups = len(set(model["tree_info"]))
    return min(total, rounds * groups * int(model["gbtree_model_param"].get("num_parallel_tree", 1)))


def _base(learner: dict[str, Any], outputs: int) -> FloatArray:
    """The base score as a margin; it is kept as a prediction, a number or since XGBoost 3.1 a list of them.

    XGBoost takes its logit in single precision, each step rounded.
    """
    stored = json.loads(str(learner["learner_model_param"]["base_score"]))
    score = np.asarray(stored, dtype=np.float32).reshape(-1)
    if LINKS[learner["objective"]["name"]] == "logistic":
        score = -np.log((np.float32(1) / score - np.float32(1)).astype(np.float64)).astype(np.float32)
    return np.broadcast_to(score.astype(np.float64), (outputs,)).copy()


def _tree(tree: dict[str, Any], group: int, outputs: int, weight: float) -> OneTree:
    left, right = np.asarray(tree["left_children"]), np.asarray(tree["right_children"])
    condition = np.asarray(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    kind = np.where(np.asarray(tree["split_type"]) == 1, IN_SET, SMALLER)
    kind[left < 0] = SMALLER
    missing_left = np.asarray(tree["default_left"]).astype(bool)
    value = np.zeros((len(left), outputs))
    value[:, group] = np.where(left < 0, condition * weight, 0.0)
    sets = _sets(tree)
    turned = kind == IN_SET  # XGBoost sends the categories of the set to the right
    return OneTree(
        column=tree["split_indices"],
        kind=kind,
        threshold=condition,
        left=np.where(turned, right, left),
        right=np.where(turned, left, right),
        missing_left=np.where(turned, ~missing_left, missing_left),
        value=value,
        cover=np.asarray(tree["sum_hessian"], dtype=np.float32),
        sets=sets,
    )


def _sets(tree: dict[str, Any]) -> dict[int, list[int]]:
    parts = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    return {int(node): [int(c) for c in tree["categories"][start : start + size]] for node, start, size in parts}
