"""Model folders whose right answers anybody can work out: a linear one, and one that misbehaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import sklearn
import skops.io
from sklearn.linear_model import LinearRegression

from explainer.records import BackgroundSpec, CardSpec, Feature, GoldenSpec, Manifest
from explainer.registry.digests import file_digest
from explainer.registry.manifest import write_manifest
from tests.faults import hostile

COEFFICIENTS = np.array([2.0, -3.0, 0.5])
INTERCEPT = 1.0
BACKGROUND = np.random.default_rng(0).normal(size=(10, 3)).round(3)
HOSTILE_BACKGROUND = np.column_stack([np.zeros(4), np.arange(8.0).reshape(4, 2)])


def attributions(row: list[float]) -> list[float]:
    """The exact values of the steady model: coefficients times the distance from the background's mean."""
    return list(COEFFICIENTS * (np.array(row) - BACKGROUND.mean(axis=0)))


def prediction(row: list[float]) -> float:
    return float(COEFFICIENTS @ np.array(row) + INTERCEPT)


def steady(folder: Path, name: str = "steady", version: str = "1", factor: float = 1.0) -> Path:
    """A linear model in a skops file, its answers times `factor`."""
    folder.mkdir(parents=True)
    estimator = LinearRegression()
    estimator.coef_, estimator.intercept_, estimator.n_features_in_ = factor * COEFFICIENTS, factor * INTERCEPT, 3
    skops.io.dump(estimator, folder / "model.skops")
    features = tuple(Feature(n, "number") for n in "abc")
    golden = _tables(folder, features, BACKGROUND, estimator)
    _describe(folder, (name, version), ("sklearn-skops", "model.skops"), features, golden)
    return folder


def misbehaving(folder: Path, key: Path, name: str = "hostile") -> Path:
    """The hostile model in a joblib file, with its class inside, signed with `key`."""
    folder.mkdir(parents=True)
    cloudpickle.register_pickle_by_value(hostile)
    try:
        (folder / "model.joblib").write_bytes(cloudpickle.dumps(hostile.Hostile()))
    finally:
        cloudpickle.unregister_pickle_by_value(hostile)
    features = (Feature("deed", "integer"), Feature("x", "number"), Feature("y", "number"))
    golden = _tables(folder, features, HOSTILE_BACKGROUND, hostile.Hostile())
    _describe(folder, (name, "1"), ("sklearn-joblib", "model.joblib"), features, golden)
    run({}, "models", "sign", str(folder), "--key", str(key))
    return folder


def run(environment: Mapping[str, str], *words: str) -> str:
    """What a command of the product prints; fails with its output unless it ends well."""
    done = subprocess.run(
        [sys.executable, "-m", "explainer", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"explainer {' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def _tables(folder: Path, features: tuple[Feature, ...], background: Any, model: Any) -> GoldenSpec:
    lines = [",".join(f.name for f in features), *(",".join(f"{v:g}" for v in row) for row in background)]
    (folder / "background.csv").write_text("\n".join(lines) + "\n")
    answers = np.asarray(model.predict(background[:3])).reshape(-1, 1)
    (folder / "golden.json").write_text(json.dumps({"rows": background[:3].tolist(), "predictions": answers.tolist()}))
    return GoldenSpec("golden.json", file_digest(folder / "golden.json"), "scikit-learn", sklearn.__version__)


def _describe(
    folder: Path, named: tuple[str, str], given: tuple[str, str], features: tuple[Feature, ...], golden: GoldenSpec
) -> None:
    name, version = named
    rows = len((folder / "background.csv").read_text().splitlines()) - 1
    (folder / "card.md").write_text(f"# {name}\n\nFor tests.\n")
    manifest = Manifest(
        name=name,
        version=version,
        format=given[0],
        file=given[1],
        sha256=file_digest(folder / given[1]),
        task="regression",
        classes=(),
        positive_class=None,
        output="raw",
        features=features,
        background=BackgroundSpec("background.csv", rows, file_digest(folder / "background.csv"), ""),
        golden=golden,
        card=CardSpec("tests", "to be asked while things go wrong", "nothing", "none", "card.md"),
        decision=None,
    )
    (folder / "manifest.toml").write_text(write_manifest(manifest))
