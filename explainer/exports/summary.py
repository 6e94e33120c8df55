"""What all rows say together, from sums that each chunk keeps: importance with errors, reasons, warnings, drift."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from explainer.attribution.batch import Batch
from explainer.exports.spec import Bins
from explainer.records import FloatArray

REASONS = 4  # leading attributions of a row that count as its reasons
INTERVALS = 10
MISSED = "tolerance-not-met"
SLIGHT, LARGE = 0.1, 0.25  # usual readings of the population stability index


def bins_of(background: FloatArray, categories: Sequence[int]) -> tuple[Bins, ...]:
    """Ten intervals of equal share for each numeric feature (0 categories), the codes for each other one."""
    return tuple(_bins(background[:, i], count) for i, count in enumerate(categories))


def _bins(column: FloatArray, categories: int) -> Bins:
    known = column[~np.isnan(column)]
    edges = None
    if not categories:
        cuts = np.quantile(known, np.arange(1, INTERVALS) / INTERVALS) if len(known) else np.zeros(0)
        edges = tuple(dict.fromkeys(cuts.tolist()))
    empty = Bins(edges, (0,) * ((categories if edges is None else len(edges) + 1) + 1))
    return Bins(edges, tuple(_counted(column, empty)))


def _counted(column: FloatArray, bins: Bins) -> list[int]:
    missing = np.isnan(column)
    known, size = column[~missing], len(bins.counts) - 1
    places = known.astype(np.int64) if bins.edges is None else np.searchsorted(bins.edges, known, side="left")
    counts: list[int] = np.bincount(places, minlength=size)[:size].tolist()
    return [*counts, int(missing.sum())]


def summed(batch: Batch, coded: FloatArray, bins: Sequence[Bins]) -> dict[str, Any]:
    """The sums of one chunk's explained rows, as JSON values; `coded` are those rows."""
    classes = {}
    for output in np.unique(batch.outputs).tolist():
        rows, which = np.nonzero(batch.outputs == output)
        classes[batch.labels[output] or ""] = _class_sums(batch, rows, which)
    return {
        "classes": classes,
        "methods": dict(Counter(batch.methods[m] for m in batch.method.tolist())),
        "exact": int(batch.exact.sum()),
        "evaluations": int(batch.evaluations.sum()),
        "warnings": dict(Counter(code for _, _, code in batch.notices)),
        "largest_gap": float(np.nanmax(batch.gaps, initial=0.0)),
        "drift": [_counted(coded[:, i], b) for i, b in enumerate(bins)],
    }


def _class_sums(batch: Batch, rows: Any, which: Any) -> dict[str, Any]:
    values, errors = batch.values[rows, :, which], batch.errors[rows, :, which]
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :REASONS]
    reasons = np.zeros((2, values.shape[1]), np.int64)  # up, down
    pushes = np.take_along_axis(values, order, axis=1)
    for sign, direction in ((1, 0), (-1, 1)):
        np.add.at(reasons[direction], order[pushes * sign > 0], 1)
    first = np.bincount(order[:, 0][pushes[:, 0] != 0], minlength=values.shape[1])
    predictions = batch.predictions[rows, which]
    return {
        "rows": len(rows),
        "expected_value": float(batch.expected[rows[0], which[0]]),
        "prediction": [float(predictions.sum()), float(predictions.min()), float(predictions.max())],
        "absolute": np.abs(values).sum(axis=0).tolist(),
        "sum": values.sum(axis=0).tolist(),
        "square": (values**2).sum(axis=0).tolist(),
        "positive": (values > 0).sum(axis=0).tolist(),
        "error": np.nan_to_num(errors, nan=-1.0).sum(axis=0).tolist() if not np.isnan(errors).any() else None,
        "error_square": (errors**2).sum(axis=0).tolist() if not np.isnan(errors).any() else None,
        "first": first.tolist(),
        "up": reasons[0].tolist(),
        "down": reasons[1].tolist(),
    }


def added(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sums of all chunks, in their order, so that the last bits are always the same."""
    total: dict[str, Any] = {}
    for part in parts:
        total = _add(total, part)
    return total


def _add(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if not one:
        return other
    merged = {**one}
    for key, value in other.items():
        before: Any = merged.get(key)
        if before is None and key in merged:
            continue  # an error that is unknown once is unknown for all
        if isinstance(value, dict):
            merged[key] = _add(before or {}, value)
        elif key == "largest_gap":
            merged[key] = max(before, value)
        elif key == "expected_value":
            merged[key] = before
        elif key == "prediction":
            merged[key] = [before[0] + value[0], min(before[1], value[1]), max(before[2], value[2])]
        elif before is None or value is None:
            merged[key] = value
        elif isinstance(value, list):
            merged[key] = [_plus(a, b) for a, b in zip(before, value, strict=True)]
        else:
            merged[key] = before + value
    return merged


def _plus(one: Any, other: Any) -> Any:
    return [a + b for a, b in zip(one, other, strict=True)] if isinstance(one, list) else one + other


def told(total: dict[str, Any], names: Sequence[str], bins: Sequence[Bins], *, shared_seed: bool) -> dict[str, Any]:
    """The summary that people read: for each class the features by importance, and how far the rows drifted."""
    classes = total.get("classes", {})
    return {
        "classes": [_class(name, sums, names, shared_seed) for name, sums in classes.items()],
        "methods": total.get("methods", {}),
        "exact_rows": total.get("exact", 0),
        "evaluations": total.get("evaluations", 0),
        "largest_additivity_gap": total.get("largest_gap", 0.0),
        "warnings": total.get("warnings", {}),
        "tolerance_misses": total.get("warnings", {}).get(MISSED, 0),
        "drift": [
            _drift(name, b, counts) for name, b, counts in zip(names, bins, total.get("drift", []), strict=False)
        ],
    }


def _class(name: str, sums: dict[str, Any], names: Sequence[str], shared_seed: bool) -> dict[str, Any]:
    n = sums["rows"]
    features = [_feature(i, feature, sums, n, shared_seed) for i, feature in enumerate(names)]
    total, low, high = sums["prediction"]
    return {
        "class": name or None,
        "rows": n,
        "expected_value": sums["expected_value"],
        "mean_prediction": total / n,
        "smallest_prediction": low,
        "largest_prediction": high,
        "features": sorted(features, key=lambda f: -f["mean_absolute"]),
    }


def _feature(i: int, name: str, sums: dict[str, Any], n: int, shared_seed: bool) -> dict[str, Any]:
    absolute, mean = sums["absolute"][i] / n, sums["sum"][i] / n
    sampling = None
    if sums["error"] is not None:
        sampling = sums["error"][i] / n if shared_seed else math.sqrt(sums["error_square"][i]) / n
    return {
        "feature": name,
        "mean_absolute": absolute,
        "standard_error": _spread(sums["square"][i], absolute, n, sampling, shared_seed),
        "mean": mean,
        "mean_standard_error": _spread(sums["square"][i], mean, n, sampling, shared_seed),
        "share_positive": sums["positive"][i] / n,
        "leading_reason": sums["first"][i],
        "reason_up": sums["up"][i],
        "reason_down": sums["down"][i],
    }


def _spread(square: float, mean: float, n: int, sampling: float | None, shared_seed: bool) -> float | None:
    """The error of a mean over rows, see attribution/summary.py; None where it is not known."""
    if n < 2 or sampling is None:
        return None
    rows = math.sqrt(max(square / n - mean**2, 0.0) / (n - 1))
    return math.hypot(rows, sampling) if shared_seed else max(rows, sampling)


def _drift(name: str, bins: Bins, counts: list[int]) -> dict[str, Any]:
    """The population stability index against the background, half a row added to each count."""
    size = len(counts)
    p, q = ((np.array(c) + 0.5) / (sum(c) + 0.5 * size) for c in (bins.counts, counts))
    index = float(((q - p) * np.log(q / p)).sum())
    reading = "large" if index >= LARGE else "slight" if index >= SLIGHT else "none"
    return {"feature": name, "psi": index, "reading": reading, "missing": counts[-1]}
