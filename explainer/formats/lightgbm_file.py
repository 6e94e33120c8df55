"""A LightGBM text file as checked header and trees, and the same model written again from what was checked.

LightGBM's own reader follows every number without looking; what reaches it is therefore the text that `Text.rendered`
makes of the numbers that passed, never the file itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.errors import Problem
from explainer.formats.unfit import UnfitError
from explainer.records import Feature, Manifest

MAX_LEAVES = 1 << 20
_HEADER = ("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
           "feature_names", "monotone_constraints", "feature_infos", "tree_sizes")  # fmt: skip
_TREE_INTS = ("split_feature", "decision_type", "left_child", "right_child")
_TREE_REALS = ("split_gain", "threshold", "internal_value", "internal_weight", "internal_count")
_LEAF_REALS = ("leaf_value", "leaf_weight", "leaf_count")
_SETS = ("cat_boundaries", "cat_threshold")
_LINEAR = ("leaf_const", "num_features", "leaf_features", "leaf_coeff")
_SINGLE = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_PLAIN = re.compile(r"[\x21-\x7e\x80-\U0010ffff]*( [\x21-\x7e\x80-\U0010ffff]+)*")
_INFO = re.compile(r"none|\[[-+.0-9einfa]+:[-+.0-9einfa]+\]|-?\d+(:-?\d+)*")
_INTEGER = re.compile(r"[-+]?\d{1,18}")


@dataclass(frozen=True, slots=True)
class Text:
    """A checked model: its header, the fields of each tree, and the category labels that pandas columns had."""

    header: dict[str, str]
    averaged: bool
    trees: tuple[dict[str, str], ...]
    labels: tuple[tuple[str, ...], ...] | None

    @property
    def objective(self) -> list[str]:
        return self.header.get("objective", "custom").split(" ")

    def rendered(self) -> str:
        """The model in LightGBM's own form, without its parameters, which predictions do not need."""
        blocks = [
            f"Tree={number}\n" + "".join(f"{k}={v}\n" for k, v in tree.items()) + "\n\n"
            for number, tree in enumerate(self.trees)
        ]
        header = dict(self.header)
        header["tree_sizes"] = " ".join(str(len(b.encode())) for b in blocks)
        lines = [f"{k}={header[k]}" for k in _HEADER if k in header]
        if self.averaged:
            lines.insert(len(lines) - 1, "average_output")
        return "tree\n" + "\n".join(lines) + "\n\n" + "".join(blocks) + "end of trees\n\n"


def read(data: bytes) -> Text:
    """The checked model; raises UnfitError."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnfitError("form", f"It is not text in UTF-8: {error}.") from None
    body, _, rest = text.partition("\nend of trees\n")
    if not text.startswith("tree\n") or not rest:
        raise UnfitError("form", "It does not begin with 'tree' and hold 'end of trees', as LightGBM's text files do.")
    head, *blocks = re.split(r"^Tree=", body[len("tree\n") :], flags=re.MULTILINE)
    header, averaged = _header(head)
    features = _integer(header.get("max_feature_idx"), "max_feature_idx") + 1
    trees = tuple(_tree(block, number, features) for number, block in enumerate(blocks))
    every = _integer(header["num_tree_per_iteration"], "num_tree_per_iteration")
    if not 1 <= every <= 1 << 12 or not trees or len(trees) % every:
        raise UnfitError("structure", f"It holds {len(trees)} trees, {every} for each round.")
    return Text(header, averaged, trees, _labels(rest))


def _fields(lines: str, known: tuple[str, ...], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines.split("\n"):
        key, _, value = line.rstrip(" ").partition("=")
        if not line:
            continue
        if key not in known or key in found:
            raise UnfitError("form", f"{where} says '{key[:40]}', which is unknown there or said twice.")
        found[key] = value
    return found


def _header(head: str) -> tuple[dict[str, str], bool]:
    averaged = "\naverage_output\n" in head
    header = _fields(head.replace("\naverage_output\n", "\n", 1), _HEADER, "The header")
    if not all(_PLAIN.fullmatch(v) for v in header.values()):
        raise UnfitError("form", "The header holds characters that LightGBM does not write.")
    features = _integer(header.get("max_feature_idx"), "max_feature_idx") + 1
    names, infos = header.get("feature_names", "").split(" "), header.get("feature_infos", "").split(" ")
    if not 0 < features < 1 << 20 or len(names) != features or len(infos) != features:
        raise UnfitError("structure", f"It names {len(names)} features and describes {len(infos)} of {features}.")
    if not all(_INFO.fullmatch(i) for i in infos):
        raise UnfitError("structure", "It describes a feature's range in a form that LightGBM does not write.")
    for key in ("num_class", "num_tree_per_iteration", "label_index"):
        if not 0 <= _integer(header.get(key), key) < 1 << 12:
            raise UnfitError("structure", f"Its {key} is out of range.")
    return header, averaged


# --- one tree ------------------------------------------------------------------------------------------------------


def _tree(block: str, number: int, features: int) -> dict[str, str]:
    where = f"Tree {number}"
    first, _, lines = block.partition("\n")
    if first != str(number):
        raise UnfitError("structure", f"{where} is numbered '{first[:20]}'.")
    known = (*_SINGLE, *_TREE_INTS, *_TREE_REALS, *_LEAF_REALS, *_SETS, *_LINEAR)
    tree = _fields(lines, known, where)
    leaves, sets = _integer(tree.get("num_leaves"), where), _integer(tree.get("num_cat"), where)
    if not 1 <= leaves <= MAX_LEAVES or not 0 <= sets < leaves:
        raise UnfitError("structure", f"{where} has {leaves} leaves and {sets} sets of categories.")
    whole = {k: _integers(tree, k, leaves - 1, where) for k in _TREE_INTS}
    for key in _TREE_REALS:
        _reals(tree, key, leaves - 1, where, needed=key == "threshold")
    for key in _LEAF_REALS:
        _reals(tree, key, leaves, where, needed=key == "leaf_value")
    _reals(tree, "shrinkage", 1, where, needed=False)
    if leaves > 1:
        _walkable(whole, leaves, features, where)
    _sets(tree, whole["decision_type"], sets, where)
    _linear(tree, leaves, features, where)
    return tree


def _walkable(whole: dict[str, Any], leaves: int, features: int, where: str) -> None:
    """Every inner node but the root, and every leaf (numbered -1 - leaf), is the child of one node."""
    children = np.concatenate([whole["left_child"], whole["right_child"]])
    due = np.concatenate([np.arange(-leaves, 0), np.arange(1, leaves - 1)])
    if not np.array_equal(np.sort(children), due):
        raise UnfitError("structure", f"{where} has nodes that are nobody's child, or two nodes'.")
    if (np.concatenate([whole["split_feature"]]) >= features).any() or (whole["split_feature"] < 0).any():
        raise UnfitError("structure", f"{where} tests a feature that is not there.")
    if ((whole["decision_type"] < 0) | (whole["decision_type"] > 11)).any():
        raise UnfitError("structure", f"{where} has a kind of decision that is not LightGBM's.")


def _sets(tree: dict[str, str], kinds: Any, sets: int, where: str) -> None:
    by_set = (kinds & 1) == 1
    if not sets:
        if by_set.any() or any(k in tree for k in _SETS):
            raise UnfitError("structure", f"{where} decides by sets of categories that it does not have.")
        return
    ends = _integers(tree, "cat_boundaries", sets + 1, where)
    words = len(tree.get("cat_threshold", "").split(" "))
    bits = _integers(tree, "cat_threshold", words, where)
    chosen = np.array(tree["threshold"].split(" "))[by_set]
    fits = ends[0] == 0 and ends[-1] == words and bool((np.diff(ends) > 0).all())
    if not fits or not all(_INTEGER.fullmatch(c) and 0 <= int(c) < sets for c in chosen):
        raise UnfitError("structure", f"{where} has sets of categories that do not fit its nodes.")
    if (bits < 0).any() or (bits >= 1 << 32).any():
        raise UnfitError("structure", f"{where} has a set of categories that is not made of 32-bit words.")


def _linear(tree: dict[str, str], leaves: int, features: int, where: str) -> None:
    if _integer(tree.get("is_linear", "0"), where) == 0:
        if any(k in tree for k in _LINEAR):
            raise UnfitError("structure", f"{where} has weights in its leaves and says that it has none.")
        return
    _reals(tree, "leaf_const", leaves, where, needed=True)
    counts = _integers(tree, "num_features", leaves, where)
    used, weights = tree.get("leaf_features", "").split(), tree.get("leaf_coeff", "").split()
    if (counts < 0).any() or not int(counts.sum()) == len(used) == len(weights):
        raise UnfitError("structure", f"{where} has another number of weights in its leaves than it says.")
    if not all(_INTEGER.fullmatch(u) and 0 <= int(u) < features for u in used):
        raise UnfitError("structure", f"{where} weighs a feature that is not there.")
    _reals({"leaf_coeff": " ".join(weights)}, "leaf_coeff", len(weights), where, needed=False)


def _integer(text: str | None, where: str) -> int:
    if text is None or not _INTEGER.fullmatch(text):
        raise UnfitError("form", f"{where}: a whole number is due where it says '{(text or '')[:20]}'.")
    return int(text)


def _integers(tree: dict[str, str], key: str, count: int, where: str) -> Any:
    parts = tree[key].split(" ") if tree.get(key) else []
    if len(parts) != count or not all(_INTEGER.fullmatch(p) for p in parts):
        raise UnfitError("structure", f"{where}: {key} must be {count} whole numbers.")
    return np.array([int(p) for p in parts], dtype=np.int64)


def _reals(tree: dict[str, str], key: str, count: int, where: str, *, needed: bool) -> None:
    parts = tree[key].split(" ") if tree.get(key) else []
    if not parts and not needed:
        return
    try:
        fits = len(parts) == count and not any(np.isnan(float(p)) for p in parts)
    except ValueError:
        fits = False
    if not fits:
        raise UnfitError("structure", f"{where}: {key} must be {count} numbers.")


# --- against the manifest ------------------------------------------------------------------------------------------


def _labels(rest: str) -> tuple[tuple[str, ...], ...] | None:
    _, _, line = rest.rpartition("pandas_categorical:")
    try:
        found = json.loads(line) if line else None
    except (ValueError, RecursionError):
        raise UnfitError("form", "Its list of pandas categories is not JSON.") from None
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(one, list) for one in found):
        raise UnfitError("form", "Its list of pandas categories is not a list of lists.")
    return tuple(tuple(str(v) for v in one) for one in found)


def problems(model: Text, manifest: Manifest) -> list[Problem]:
    """What does not fit between a checked model and the manifest."""
    names = model.header["feature_names"].split(" ")
    schema = [re.sub(r"\s", "_", f.name) for f in manifest.features]
    if len(names) != len(schema):
        detail = f"The model takes {len(names)} features, the schema describes {len(schema)}."
        return [Problem("features", "number", detail)]
    found: list[Problem] = []
    if names not in (schema, [f"Column_{i}" for i in range(len(names))]):
        found.append(Problem("features", "names", f"The model's columns are {names}, the schema's are {schema}."))
    every = int(model.header["num_tree_per_iteration"])
    due = len(manifest.classes) if len(manifest.classes) > 2 else 1
    if every != due:
        found.append(Problem("model.classes", "number", f"The model has {every} margins; the manifest needs {due}."))
    categories = [f for f in manifest.features if f.type == "category"]
    if model.labels:
        found += _compare(model.labels, categories)
    return found


def _compare(labels: tuple[tuple[str, ...], ...], categories: list[Feature]) -> list[Problem]:
    if len(labels) != len(categories):
        detail = f"The model was trained on {len(labels)} category columns; the schema has {len(categories)}."
        return [Problem("features", "categories", detail)]
    return [
        Problem(
            f"features.{f.name}",
            "categories",
            f"The model was trained on {list(known)}, in this order; the schema says {list(f.categories)}.",
        )
        for f, known in zip(categories, labels, strict=True)
        if known != tuple(f.categories)
    ]
