"""An XGBoost file as a document, and whether native code can follow its numbers without leaving its arrays."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np

from explainer.errors import Problem
from explainer.formats import ubjson
from explainer.formats.unfit import UnfitError
from explainer.records import Feature, Manifest

LARGEST_CATEGORY = 1 << 20
MAX_TREES = 100_000
_NOBODY = (1 << 31) - 1  # the parent of a root
_INNER = ("left_children", "right_children", "split_indices", "parents", "split_type", "default_left")
_REAL = ("split_conditions", "base_weights", "loss_changes", "sum_hessian")


def read(data: bytes) -> dict[str, Any]:
    """The document of a JSON or UBJ file; raises UnfitError."""
    if data[:1] != b"{":
        raise UnfitError("form", "It is neither JSON nor UBJ; save the model with XGBoost's save_model.")
    try:
        document = json.loads(data, object_pairs_hook=_once) if is_json(data) else ubjson.load(data)
    except (ValueError, RecursionError) as error:
        raise UnfitError("form", f"It is not well-formed: {error}") from None
    if not isinstance(document.get("learner"), dict) or not isinstance(document.get("version"), (list, np.ndarray)):
        raise UnfitError("form", "It has no learner and version at its top, which every XGBoost model has.")
    return dict(document)


def is_json(data: bytes) -> bool:
    return data[1:2] in (b'"', b" ", b"\n", b"\r", b"\t", b"}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def problems(document: dict[str, Any], manifest: Manifest) -> list[Problem]:
    """What is wrong with a document, by itself or against the manifest."""
    try:
        learner = document["learner"]
        features, outputs = _sizes(learner)
        model, weights = _model(learner["gradient_booster"], features, outputs)
        if model is not None:
            _trees(model, weights, features, outputs)
        _categories(model, features)
        return _against(learner, model, features, outputs, manifest)
    except UnfitError as unfit:
        return [unfit.problem]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        return [Problem("model.file", "structure", f"It is not built as XGBoost builds a model: {error!r}.")]


def _sizes(learner: dict[str, Any]) -> tuple[int, int]:
    parameters = learner["learner_model_param"]
    features, classes = int(parameters["num_feature"]), int(parameters["num_class"])
    targets = int(parameters.get("num_target", 1))
    if not 0 < features < 1 << 20 or not 0 <= classes < 1 << 12 or targets not in (0, 1):
        raise UnfitError("structure", f"{features} features, {classes} classes, {targets} targets are not supported.")
    score = json.loads(str(parameters["base_score"]))
    scores = score if isinstance(score, list) else [score]
    if len(scores) not in (1, max(classes, 1)) or not all(math.isfinite(float(s)) for s in scores):
        raise UnfitError("structure", "Its base score is not one finite number for each output.")
    return features, max(classes, 1)


def _model(booster: dict[str, Any], features: int, outputs: int) -> tuple[dict[str, Any] | None, int | None]:
    """The part that holds trees, and how many weights of trees there are beside it; None for a linear booster."""
    name = booster["name"]
    if name == "gblinear":
        if len(booster["model"]["weights"]) != (features + 1) * outputs:
            raise UnfitError("structure", "Its weights are not one for each feature and output.")
        return None, None
    if name == "dart":
        return booster["gbtree"]["model"], len(booster["weight_drop"])
    if name != "gbtree":
        raise UnfitError("structure", f"'{name}' is not a booster of XGBoost.")
    dropped = booster["model"].get("weight_drop")  # since 3.4 dropout is a setting of the tree booster
    return booster["model"], len(dropped) if dropped else None


def _trees(model: dict[str, Any], weights: int | None, features: int, outputs: int) -> None:
    trees, groups = model["trees"], _whole(model["tree_info"])
    declared = int(model["gbtree_model_param"]["num_trees"])
    if not len(trees) == len(groups) == declared <= MAX_TREES or weights not in (None, declared):
        raise UnfitError("structure", f"It declares {declared} trees and holds {len(trees)}.")
    if (groups < 0).any() or (groups >= outputs).any():
        raise UnfitError("structure", "A tree belongs to an output that is not there.")
    parallel = int(model["gbtree_model_param"].get("num_parallel_tree", 1))
    if not 0 <= parallel <= MAX_TREES:
        raise UnfitError("structure", f"{parallel} parallel trees are not possible.")
    if "iteration_indptr" in model:
        ends = _whole(model["iteration_indptr"])
        if len(ends) and (ends[0] != 0 or ends[-1] != declared or (np.diff(ends) < 0).any()):
            raise UnfitError("structure", "Its rounds do not divide its trees.")
    for number, tree in enumerate(trees):
        _tree(tree, number, features)


def _tree(tree: dict[str, Any], number: int, features: int) -> None:
    parameters = tree["tree_param"]
    nodes = int(parameters["num_nodes"])
    if int(parameters.get("size_leaf_vector", 1)) > 1:
        raise UnfitError("structure", "Trees with several outputs a leaf (multi_output_tree) are not supported.")
    if int(tree["id"]) != number or int(parameters["num_feature"]) != features or nodes < 1:
        raise UnfitError("structure", f"Tree {number} has another number, no nodes, or another number of features.")
    parts = {key: _whole(tree[key]) for key in _INNER if key in tree}
    real = {key: np.asarray(tree[key]) for key in _REAL if key in tree}
    fits = all(len(a) == nodes for a in parts.values())
    if not fits or not all(a.shape == (nodes,) and a.dtype.kind in "fiu" for a in real.values()):
        raise UnfitError("structure", f"Tree {number} has arrays of another length than its nodes.")
    left, right = parts["left_children"], parts["right_children"]
    inner = left != -1
    if (right[~inner] != -1).any() or not _walkable(left[inner], right[inner], parts["parents"], np.flatnonzero(inner)):
        raise UnfitError("structure", f"Tree {number} has a child that is no node of its own.")
    tested = parts["split_indices"][inner]
    if (tested < 0).any() or (tested >= features).any():
        raise UnfitError("structure", f"Tree {number} tests a feature that is not there.")
    _sets(tree, number, inner & (parts.get("split_type", np.zeros(nodes)) == 1))


def _walkable(left: Any, right: Any, parents: Any, inner: Any) -> bool:
    """Whether each child is a node other than the root with one parent, which it names; so no walk goes round."""
    nodes, children = len(parents), np.concatenate([left, right])
    if ((children <= 0) | (children >= nodes)).any() or len(np.unique(children)) != len(children):
        return False
    named = bool((parents[left] == inner).all() and (parents[right] == inner).all())
    return named and bool((((parents >= -1) & (parents < nodes)) | (parents == _NOBODY)).all())


def _sets(tree: dict[str, Any], number: int, by_set: Any) -> None:
    keys = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
    values, nodes, starts, sizes = (_whole(tree.get(k, [])) for k in keys)
    fits = len(nodes) == len(starts) == len(sizes) and np.array_equal(nodes, np.flatnonzero(by_set))
    if not fits or (starts < 0).any() or (sizes < 0).any() or (starts + sizes > len(values)).any():
        raise UnfitError("structure", f"Tree {number} has sets of categories that do not fit its nodes.")
    if (values < 0).any() or (values >= LARGEST_CATEGORY).any():
        raise UnfitError("structure", f"Tree {number} names a category beyond {LARGEST_CATEGORY}.")


def _categories(model: dict[str, Any] | None, features: int) -> None:
    """Category names that XGBoost 3.1 and later keep; offsets must stay inside their bytes."""
    kept = (model or {}).get("cats")
    if kept is None:
        return
    sizes = [max(len(_whole(e["offsets"])) - 1, 0) if "offsets" in e else len(e["values"]) for e in kept["enc"]]
    ends, places = _whole(kept["feature_segments"]), _whole(kept["sorted_idx"])
    due = np.cumsum([0, *sizes]) if sizes else np.zeros(len(ends))
    if len(sizes) not in (0, features) or not np.array_equal(ends, due):
        raise UnfitError("structure", "Its category names are not one list for each feature.")
    if len(places) != sum(sizes) or (places < 0).any() or (places >= max([1, *sizes])).any():
        raise UnfitError("structure", "The order of its category names does not fit them.")
    for encoding in kept["enc"]:
        offsets = _whole(encoding.get("offsets", []))
        if not len(offsets):
            continue
        if offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] > len(encoding["values"]):
            raise UnfitError("structure", "Its category names reach beyond their bytes.")


def category_names(model: dict[str, Any]) -> list[list[str]]:
    """Names of the categories of each feature, where the file keeps them as text; empty lists elsewhere."""
    found: list[list[str]] = []
    for encoding in model.get("cats", {}).get("enc", []):
        if "offsets" not in encoding:
            found.append([])
            continue
        raw = np.asarray(encoding["values"], dtype=np.int64).astype(np.uint8).tobytes()
        ends = [int(o) for o in encoding["offsets"]]
        found.append([raw[a:b].decode("utf-8", "replace") for a, b in pairwise(ends)])
    return found


def _against(
    learner: dict[str, Any], model: dict[str, Any] | None, features: int, outputs: int, manifest: Manifest
) -> list[Problem]:
    if features != len(manifest.features):
        detail = f"The model takes {features} features, the schema describes {len(manifest.features)}."
        return [Problem("features", "number", detail)]
    found: list[Problem] = []
    expected = len(manifest.classes) if len(manifest.classes) > 2 else 1
    if outputs != expected:
        detail = f"The model has {outputs} margins; the manifest needs {expected}."
        found.append(Problem("model.classes", "number", detail))
    schema, names = [f.name for f in manifest.features], list(learner.get("feature_names", []))
    if names and names != schema:
        found.append(Problem("features", "names", f"The model's columns are {names}, the schema's are {schema}."))
    known = category_names(model or {}) or [[]] * features
    types = list(learner.get("feature_types", [])) or [""] * features
    for feature, kind, labels in zip(manifest.features, types, known, strict=True):
        found += _feature(feature, kind, labels)
    return found


def _feature(feature: Feature, kind: str, labels: list[str]) -> list[Problem]:
    where = f"features.{feature.name}"
    if kind and (kind == "c") != (feature.type == "category"):
        taken = "a category" if kind == "c" else "a number"
        return [Problem(where, "type", f"The model takes it as {taken}; the schema says {feature.type}.")]
    if labels and labels != list(feature.categories):
        detail = f"The model was trained on {labels}, in this order; the schema says {list(feature.categories)}."
        return [Problem(where, "categories", detail)]
    return []


def _whole(values: Any) -> Any:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iub"):
        raise UnfitError("structure", "An array that must hold whole numbers holds something else.")
    return array.astype(np.int64)
