"""CatBoost: symmetric and other trees on numeric features, read from its JSON export."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from explainer.attribution.model import Link, Trees
from explainer.formats.structure.one_tree import SMALLER_OR_EQUAL, OneTree, together

LINKS: dict[str, Link] = {
    "Logloss": "logistic",
    "CrossEntropy": "logistic",
    "MultiClass": "softmax",
    "RMSE": "identity",
    "MAE": "identity",
    "Quantile": "identity",
    "Huber": "identity",
    "LogCosh": "identity",
    "MAPE": "identity",
    "Expectile": "identity",
    "Lq": "identity",
    "MultiRMSE": "identity",
}


def read(fitted: object) -> tuple[Trees, Link] | None:
    """Convert a CatBoost model on numeric features; None for anything else (`why_not` says why)."""
    model = _exported(fitted)
    if model is None or _reason(model, fitted):
        return None
    scale, bias = model["scale_and_bias"][0], np.asarray(model["scale_and_bias"][1], dtype=np.float64)
    floats = model["features_info"]["float_features"]
    column = np.asarray([f["flat_feature_index"] for f in floats], dtype=np.int64)
    missing_left = np.asarray([f["nan_value_treatment"] != "AsTrue" for f in floats])
    grow = _symmetric if "oblivious_trees" in model else _free
    trees: list[Any] = model["oblivious_trees"] if "oblivious_trees" in model else model["trees"]
    parts = [grow(tree, column, missing_left, max(len(bias), 1), scale) for tree in trees]
    return together(parts, bias, single=True), LINKS[_loss(model)]


def why_not(fitted: object) -> str:
    """Why `read` answers None, in a sentence; empty when it converts."""
    model = _exported(fitted)
    return "It is not a fitted CatBoost model." if model is None else _reason(model, fitted)


def _exported(fitted: object) -> dict[str, Any] | None:
    if not type(fitted).__module__.startswith("catboost."):
        return None
    import catboost

    if not isinstance(fitted, catboost.CatBoost) or not fitted.is_fitted():
        return None
    with _written() as path:
        fitted.save_model(str(path), format="json")
        model: dict[str, Any] = json.loads(path.read_text())
    return model


@contextmanager
def _written() -> Iterator[Path]:
    """A place that CatBoost, which exports to files only, can write to: a worker may write none, memory has to do."""
    if not hasattr(os, "memfd_create"):  # where there is none, there is no sandbox either
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "model.json"
        return
    memory = os.memfd_create("catboost export")
    try:
        yield Path(f"/proc/self/fd/{memory}")
    finally:
        os.close(memory)


def _loss(model: dict[str, Any]) -> str:
    return str(model["model_info"]["params"]["loss_function"]["type"])


def _reason(model: dict[str, Any], fitted: object) -> str:
    others = [k for k in model["features_info"] if k not in {"float_features", "ctrs"} and model["features_info"][k]]
    if others or model["features_info"].get("ctrs"):
        return f"CatBoost features other than numeric ones ({', '.join(others) or 'ctrs'}) are not supported here."
    if _loss(model) not in LINKS:
        return f"The loss '{_loss(model)}' turns margins into predictions by a link that is not supported here."
    if not model.get("oblivious_trees", model.get("trees")):
        return "The model has no trees."
    return ""


def _symmetric(
    tree: dict[str, Any], column: npt.NDArray[np.int64], missing_left: npt.NDArray[np.bool_], outputs: int, scale: float
) -> OneTree:
    """A symmetric tree asks one question a level; question i sets bit i of the leaf's number, the last is the root."""
    splits = tree.get("splits") or []
    depth = len(splits)
    inner, nodes = (1 << depth) - 1, (1 << (depth + 1)) - 1
    level = np.floor(np.log2(np.arange(1, nodes + 1))).astype(np.int64)
    asked = [splits[depth - 1 - v] if v < depth else None for v in level]
    feature = np.asarray([s["float_feature_index"] if s else 0 for s in asked], dtype=np.int64)
    child = np.arange(nodes)
    value, cover = np.zeros((nodes, outputs)), np.zeros(nodes)
    value[inner:] = np.asarray(tree["leaf_values"], dtype=np.float64).reshape(-1, outputs) * scale
    cover[inner:] = tree.get("leaf_weights") or 0.0
    for n in range(inner - 1, -1, -1):
        cover[n] = cover[2 * n + 1] + cover[2 * n + 2]
    return OneTree(
        column=column[feature] if len(column) else feature,
        kind=np.full(nodes, SMALLER_OR_EQUAL),
        threshold=[float(np.float32(s["border"])) if s else 0.0 for s in asked],
        left=np.where(child < inner, 2 * child + 1, -1),
        right=np.where(child < inner, 2 * child + 2, -1),
        missing_left=missing_left[feature] if len(column) else np.zeros(nodes, bool),
        value=value,
        cover=cover,
    )


def _free(
    root: dict[str, Any], column: npt.NDArray[np.int64], missing_left: npt.NDArray[np.bool_], outputs: int, scale: float
) -> OneTree:
    nodes, stack = [], [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        if "split" in node:
            stack += [node["right"], node["left"]]
    number = {id(node): i for i, node in enumerate(nodes)}
    feature = np.asarray([n["split"]["float_feature_index"] if "split" in n else 0 for n in nodes], dtype=np.int64)
    value = np.zeros((len(nodes), outputs))
    cover = np.zeros(len(nodes))
    for i in range(len(nodes) - 1, -1, -1):
        if "split" not in nodes[i]:
            value[i], cover[i] = np.asarray(nodes[i]["value"]) * scale, float(nodes[i].get("weight", 0.0))
        else:
            cover[i] = cover[number[id(nodes[i]["left"])]] + cover[number[id(nodes[i]["right"])]]
    return OneTree(
        column=column[feature],
        kind=np.full(len(nodes), SMALLER_OR_EQUAL),
        threshold=[float(np.float32(n["split"]["border"])) if "split" in n else 0.0 for n in nodes],
        left=[number[id(n["left"])] if "split" in n else -1 for n in nodes],
        right=[number[id(n["right"])] if "split" in n else -1 for n in nodes],
        missing_left=missing_left[feature],
        value=value,
        cover=cover,
    )
