"""Models of the German credit data, trained here and opened as a worker opens them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainer.demo.datasets import Dataset
from explainer.records import BackgroundSpec, CardSpec, Feature, GoldenSpec, LoadOrder, Manifest
from explainer.workers.opening import ServedVersion, open_version

BACKGROUND = 100


def served(data: Dataset, folder: Path, **settings: Any) -> ServedVersion:
    """An XGBoost classifier with these settings, trained on the training rows; every feature counts as a number."""
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_jobs=1, random_state=0, **settings)
    model.fit(data.rows[data.train], data.target[data.train])
    path = folder / "model.json"
    model.save_model(path)
    manifest = Manifest(
        name="attacked",
        version="1",
        format="xgboost",
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        task="classification",
        classes=("good", "bad"),
        positive_class="bad",
        output="probability",
        features=tuple(Feature(f.name, "number") for f in data.features),
        background=BackgroundSpec("background.csv", BACKGROUND, "0" * 64, "training rows"),
        golden=GoldenSpec("golden.json", "0" * 64, "xgboost", xgboost.__version__),
        card=CardSpec("owner", "purpose", "rows", "CC0", "card.md"),
    )
    golden = data.rows[data.test[:20]]
    predictions = model.predict_proba(golden).astype(np.float64)
    background = data.rows[data.train[:BACKGROUND]]
    return open_version(LoadOrder(manifest, "d" * 64, path, background, "b" * 64, golden, predictions))
