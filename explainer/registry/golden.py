"""Reads the golden file: rows, and the predictions that every load of the model must reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson

from explainer.errors import InvalidRows, Problem
from explainer.records import FloatArray, Manifest
from explainer.registry.rows import code_rows

MOST_ROWS = 1000
SUM_TOLERANCE = 1e-3  # of a row of class probabilities, for models that answer in float32

WHERE = "golden.file"


def read_golden(path: Path, manifest: Manifest, problems: list[Problem]) -> tuple[FloatArray, FloatArray] | None:
    """Return coded rows (rows, features) and predictions (rows, outputs), or None after problems were added.

    The file is JSON: {"rows": [...], "predictions": [[...], ...]}, predictions being class probabilities in the
    order of the classes, or one value for a regression.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        problems.append(Problem(WHERE, "json", f"{path.name} is not JSON: {error}."))
        return None
    if not isinstance(document, dict) or set(document) != {"rows", "predictions"}:
        detail = f'{path.name} must hold {{"rows": [...], "predictions": [[...], ...]}} and nothing else.'
        problems.append(Problem(WHERE, "form", detail))
        return None
    rows = _rows(document["rows"], manifest, problems)
    predictions = _predictions(document["predictions"], manifest, problems)
    if rows is None or predictions is None:
        return None
    if len(rows) != len(predictions):
        detail = f"There are {len(rows)} rows but {len(predictions)} predictions; each row needs its own."
        problems.append(Problem(WHERE, "length", detail))
        return None
    return rows, predictions


def _rows(rows: Any, manifest: Manifest, problems: list[Problem]) -> FloatArray | None:
    if isinstance(rows, list) and len(rows) > MOST_ROWS:
        problems.append(Problem(WHERE, "too-many", f"{len(rows)} golden rows; at most {MOST_ROWS} are compared."))
        return None
    try:
        return code_rows(manifest.features, rows)
    except InvalidRows as error:
        places = ((p.where.replace("instances", "golden.rows", 1), p) for p in error.problems)
        problems.extend(Problem(where, p.rule, p.detail) for where, p in places)
        return None


def _predictions(values: Any, manifest: Manifest, problems: list[Problem]) -> FloatArray | None:
    width = len(manifest.classes) if manifest.task == "classification" else 1
    well_formed = isinstance(values, list) and all(
        isinstance(row, list) and len(row) == width and all(type(v) in (int, float) for v in row) for row in values
    )
    if not well_formed:
        each = f"{width} class probabilities" if width > 1 else "one number"
        problems.append(Problem("golden.predictions", "form", f"Every prediction must be a list of {each}."))
        return None
    array = np.array(values, dtype=np.float64).reshape(len(values), width)
    if manifest.task == "classification" and not _are_probabilities(array):
        detail = "The predictions are not probabilities: each lies in 0 to 1 and each row sums to 1."
        problems.append(Problem("golden.predictions", "probability", detail))
        return None
    return array


def _are_probabilities(array: FloatArray) -> bool:
    in_range = bool(np.all((array >= 0.0) & (array <= 1.0)))
    return in_range and bool(np.all(np.abs(array.sum(axis=1) - 1.0) <= SUM_TOLERANCE))
