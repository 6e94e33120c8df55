"""Rows, manifests and load orders that the tests of formats share: five features of every type, some values missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from explainer.records import (
    BackgroundSpec,
    CardSpec,
    Feature,
    FloatArray,
    GoldenSpec,
    LoadOrder,
    Manifest,
    RemoteSpec,
    Task,
)

FEATURES = (
    Feature("income", "number", nullable=True),
    Feature("age", "integer"),
    Feature("housing", "category", ("rent", "own", "for free", "other"), nullable=True),
    Feature("member", "boolean"),
    Feature("debt", "number"),
)
NUMBERS = tuple(Feature(f"x{i}", "number", nullable=i == 0) for i in range(4))
COMPLETE = tuple(Feature(f"x{i}", "number") for i in range(4))
GOLDEN = GoldenSpec("golden.csv", "0" * 64, "a library", "1.0")


def mixed_rows(count: int = 200, seed: int = 0) -> FloatArray:
    """Coded rows of FEATURES; about a tenth of the nullable values are missing."""
    random = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            random.normal(40.0, 12.0, count),
            random.integers(18, 80, count),
            random.integers(0, 4, count),
            random.integers(0, 2, count),
            random.gamma(2.0, 3.0, count),
        ]
    ).astype(np.float64)
    rows[random.random(count) < 0.1, 0] = np.nan
    rows[random.random(count) < 0.1, 2] = np.nan
    return rows


def number_rows(count: int = 200, seed: int = 0) -> FloatArray:
    """Coded rows of NUMBERS; about a tenth of the first column is missing."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 4))
    rows[random.random(count) < 0.1, 0] = np.nan
    return rows


def target(rows: FloatArray) -> FloatArray:
    """A number that depends on the columns and their pairs, missing counted as zero."""
    filled = np.nan_to_num(rows)
    scaled = (filled - filled.mean(axis=0)) / (filled.std(axis=0) + 1e-9)
    return np.asarray(scaled[:, 0] + scaled[:, 1] * scaled[:, 2] - 0.5 * scaled[:, -1])


def labels(rows: FloatArray, names: tuple[str, ...] = ("bad", "good")) -> Any:
    """Class names by the target's quantiles."""
    values = target(rows)
    edges = np.quantile(values, np.linspace(0.0, 1.0, len(names) + 1)[1:-1])
    return np.array(names, dtype=object)[np.searchsorted(edges, values)]


def manifest(
    form: str,
    features: tuple[Feature, ...] = FEATURES,
    classes: tuple[str, ...] = ("good", "bad"),
    remote: RemoteSpec | None = None,
) -> Manifest:
    """A classification over `classes`, or a regression where there are none."""
    task: Task = "classification" if classes else "regression"
    return Manifest(
        name="lending",
        version="1",
        format=form,
        file="model",
        sha256="0" * 64,
        task=task,
        classes=classes,
        positive_class=classes[-1] if classes else None,
        output="probability" if classes else "raw",
        features=features,
        background=BackgroundSpec("background.csv", 0, "0" * 64, ""),
        golden=GOLDEN,
        card=CardSpec("", "", "", "", ""),
        remote=remote,
    )


def order(path: Path, declared: Manifest, background: FloatArray, signed_by: str | None = None) -> LoadOrder:
    return LoadOrder(
        manifest=declared,
        digest="0" * 64,
        model_path=path,
        background=background,
        background_digest="0" * 64,
        golden_rows=background[:5],
        golden_predictions=np.zeros((5, max(1, len(declared.classes)))),
        signed_by=signed_by,
    )
