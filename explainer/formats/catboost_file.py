"""A CatBoost file's structure: all of a JSON export, and the frame of the binary form.

The binary form (cbm) is a memory image that only CatBoost itself can read; its reader follows what it finds there, so
a hostile cbm file is stopped by the worker's sandbox and by the digest, not here.
"""

from __future__ import annotations

import json
import math
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

from explainer.errors import Problem
from explainer.formats.unfit import UnfitError
from explainer.records import Manifest

MAX_DEPTH = 16  # CatBoost's own limit of a symmetric tree
MAX_LEVELS = 1_000  # of any other tree
_MAGIC = b"CBM1"


def inspect(path: Path, manifest: Manifest) -> list[Problem]:
    """What is wrong with the file, before CatBoost sees it."""
    with path.open("rb") as file:
        head = file.read(8)
    if head[:1] == b"{":
        return _json(path, manifest)
    if head[:4] != _MAGIC or len(head) < 8:
        return [Problem("model.file", "form", "It is neither a cbm file nor a JSON export of CatBoost.")]
    size = path.stat().st_size
    if struct.unpack("<I", head[4:])[0] > size - 8:
        return [Problem("model.file", "form", f"It was cut off: it has only {size} bytes.")]
    return []


def _json(path: Path, manifest: Manifest) -> list[Problem]:
    try:
        document = json.loads(path.read_bytes())
        count = _document(document)
    except UnfitError as unfit:
        return [unfit.problem]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError) as error:
        return [Problem("model.file", "form", f"It is not a JSON export of CatBoost: {error!r}.")]
    if count != len(manifest.features):
        detail = f"The model takes {count} features, the schema describes {len(manifest.features)}."
        return [Problem("features", "number", detail)]
    return []


def _document(document: dict[str, Any]) -> int:
    """The number of features; raises UnfitError or what reading a wrong type raises."""
    info = document["features_info"]
    numbers, labels = info.get("float_features") or [], info.get("categorical_features") or []
    ctrs = info.get("ctrs") or []
    _numbered(numbers, "numeric")
    _numbered(labels, "category")
    flat = sorted(_whole(f["flat_feature_index"]) for f in [*numbers, *labels])
    if flat != list(range(len(flat))):
        raise UnfitError("structure", "Its features are not numbered one after another.")
    borders = [_ascending(f.get("borders") or []) for f in [*numbers, *ctrs]]
    values = [[_whole(v) for v in f.get("values") or []] for f in labels]
    splits = sum(len(b) for b in borders) + sum(len(v) for v in values)
    outputs = _outputs(document)
    if "oblivious_trees" in document:
        for tree in document["oblivious_trees"]:
            _symmetric(tree, splits, outputs, len(flat))
    else:
        for tree in document["trees"]:
            _free(tree, splits, outputs, len(flat))
    return len(flat)


def _numbered(features: list[dict[str, Any]], kind: str) -> None:
    if [_whole(f["feature_index"]) for f in features] != list(range(len(features))):
        raise UnfitError("structure", f"Its {kind} features are not numbered one after another.")


def _ascending(borders: list[Any]) -> list[float]:
    found = [_real(b) for b in borders]
    if any(b <= a for a, b in pairwise(found)):
        raise UnfitError("structure", "The borders of a feature do not ascend.")
    return found


def _outputs(document: dict[str, Any]) -> int:
    scale, bias = document["scale_and_bias"]
    _real(scale)
    count = len([_real(b) for b in bias])
    if not 1 <= count <= 1 << 12:
        raise UnfitError("structure", f"{count} outputs are not possible.")
    return count


def _symmetric(tree: dict[str, Any], splits: int, outputs: int, features: int) -> None:
    asked = tree.get("splits") or []
    leaves = 1 << min(len(asked), MAX_DEPTH)
    values = [_real(v) for v in tree["leaf_values"]]
    weights = [_real(w) for w in tree.get("leaf_weights") or []]
    if len(asked) > MAX_DEPTH or len(values) != leaves * outputs or len(weights) not in (0, leaves):
        raise UnfitError("structure", "A tree has another number of leaves than its questions and outputs make.")
    for split in asked:
        _split(split, splits, features)


def _free(root: dict[str, Any], splits: int, outputs: int, features: int) -> None:
    waiting = [(root, 0)]
    while waiting:
        node, level = waiting.pop()
        if level > MAX_LEVELS:
            raise UnfitError("structure", f"A tree is deeper than {MAX_LEVELS}.")
        if "split" in node:
            _split(node["split"], splits, features)
            waiting += [(node["left"], level + 1), (node["right"], level + 1)]
            continue
        values = node["value"] if isinstance(node["value"], list) else [node["value"]]
        if len([_real(v) for v in values]) != outputs:
            raise UnfitError("structure", "A leaf has another number of values than the model's outputs.")


def _split(split: dict[str, Any], splits: int, features: int) -> None:
    if not 0 <= _whole(split["split_index"]) < splits:
        raise UnfitError("structure", "A tree asks a question that is not there.")
    if split["split_type"] in ("FloatFeature", "OnlineCtr"):
        _real(split["border"])
    asked = [_whole(split[k]) for k in ("float_feature_index", "cat_feature_index") if k in split]
    if any(not 0 <= number < features for number in asked):
        raise UnfitError("structure", "A tree asks about a feature that is not there.")


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise UnfitError("structure", f"A whole number is due where it says {value!r:.20}.")
    return int(value)


def _real(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > 1e300:
        raise UnfitError("structure", f"A number is due where it says {value!r:.20}.")
    return float(value)
