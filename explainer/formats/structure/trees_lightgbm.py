"""LightGBM: boosters read from `dump_model`, with its three kinds of missing value and its category sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from explainer.attribution.model import Link, Trees
from explainer.formats.structure.one_tree import (
    IN_SET,
    LARGEST_CATEGORY,
    SMALLER_OR_EQUAL,
    ZERO_MISSING,
    OneTree,
    together,
)

ZERO = float(np.float32(1e-35))
IDENTITY = {"regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg", "custom"}


def read(fitted: object) -> tuple[Trees, Link] | None:
    """Convert a Booster or an LGBMModel up to its best iteration; None for anything else (`why_not` says why)."""
    booster = _booster(fitted)
    if booster is None:
        return None
    dumped = booster.dump_model()
    if _reason(dumped):
        return None
    outputs = int(dumped["num_tree_per_iteration"])
    infos = dumped["tree_info"]
    scale = outputs / len(infos) if dumped["average_output"] else 1.0
    parts = [_tree(info["tree_structure"], i % outputs, outputs, scale) for i, info in enumerate(infos)]
    return together(parts, np.zeros(outputs), single=False), _link(dumped)


def why_not(fitted: object) -> str:
    """Why `read` answers None, in a sentence; empty when it converts."""
    booster = _booster(fitted)
    return "It is not a LightGBM model." if booster is None else _reason(booster.dump_model())


def _booster(fitted: object) -> Any:
    if not type(fitted).__module__.startswith("lightgbm."):
        return None
    import lightgbm

    if isinstance(fitted, lightgbm.Booster):
        return fitted
    return fitted.booster_ if isinstance(fitted, lightgbm.LGBMModel) else None


def _link(dumped: dict[str, Any]) -> Link:
    name = _objective(dumped)[0]
    links: dict[str, Link] = {"binary": "logistic", "multiclass": "softmax", "cross_entropy": "logistic"}
    return links.get(name, "identity")


def _objective(dumped: dict[str, Any]) -> list[str]:
    return str(dumped.get("objective") or "custom").split(" ")


def _reason(dumped: dict[str, Any]) -> str:
    name, *details = _objective(dumped)
    if name not in IDENTITY | {"binary", "multiclass", "cross_entropy"} or "sqrt" in details:
        return f"The objective '{' '.join([name, *details])}' turns margins into predictions by an unsupported link."
    if name == "binary" and "sigmoid:1" not in details:
        return "The binary objective has a sigmoid parameter other than 1, so its margin is not a log-odds."
    if not dumped["tree_info"]:
        return "The model has no trees."
    structures = [info["tree_structure"] for info in dumped["tree_info"]]
    if any("leaf_coeff" in node for s in structures for node in _nodes(s)):
        return "LightGBM trees with linear leaves are not supported here."
    if any(max(_codes(node), default=0) >= LARGEST_CATEGORY for s in structures for node in _nodes(s)):
        return f"A category code is {LARGEST_CATEGORY} or larger."
    return ""


def _nodes(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if "split_feature" in node:
            stack += [node["right_child"], node["left_child"]]


def _codes(node: dict[str, Any]) -> list[int]:
    return [int(c) for c in str(node["threshold"]).split("||")] if node.get("decision_type") == "==" else []


def _tree(root: dict[str, Any], group: int, outputs: int, scale: float) -> OneTree:
    nodes = list(_nodes(root))
    number = {id(node): i for i, node in enumerate(nodes)}
    inner = ["split_feature" in node for node in nodes]
    value = np.zeros((len(nodes), outputs))
    value[:, group] = [0.0 if i else float(n["leaf_value"]) * scale for n, i in zip(nodes, inner, strict=True)]
    tests = [_test(n) if i else (SMALLER_OR_EQUAL, 0.0, False) for n, i in zip(nodes, inner, strict=True)]
    return OneTree(
        column=[n["split_feature"] if i else 0 for n, i in zip(nodes, inner, strict=True)],
        kind=[kind for kind, _, _ in tests],
        threshold=[threshold for _, threshold, _ in tests],
        left=[number[id(n["left_child"])] if i else -1 for n, i in zip(nodes, inner, strict=True)],
        right=[number[id(n["right_child"])] if i else -1 for n, i in zip(nodes, inner, strict=True)],
        missing_left=[missing for _, _, missing in tests],
        value=value,
        cover=[float(n.get("internal_count", n.get("leaf_count", 0))) for n in nodes],
        sets={i: _codes(n) for i, n in enumerate(nodes) if tests[i][0] == IN_SET},
    )


def _test(node: dict[str, Any]) -> tuple[int, float, bool]:
    """Kind, threshold and the side of NaN, which LightGBM reads as 0 unless the node keeps missing values apart."""
    if node["decision_type"] == "==":
        return IN_SET, 0.0, False
    threshold = float(node["threshold"])
    if abs(threshold) <= ZERO:  # values as small as that are read as 0
        threshold = ZERO if threshold >= 0.0 else float(np.nextafter(-ZERO, -np.inf))
    if node["missing_type"] == "Zero":
        return ZERO_MISSING, threshold, bool(node["default_left"])
    if node["missing_type"] == "NaN":
        return SMALLER_OR_EQUAL, threshold, bool(node["default_left"])
    return SMALLER_OR_EQUAL, threshold, threshold >= 0.0
