"""The scikit-learn part of the recipes: raw columns in, and a file of audited types out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from explainer.demo.archive import settle
from explainer.demo.datasets import Dataset
from explainer.demo.recipe import Trained
from explainer.formats.frames import frame_maker
from explainer.records import FloatArray


def train_pipeline(estimator: Any, data: Dataset, *, scale: bool, classes: tuple[str, ...] = ()) -> Trained:
    """Fit `encoding, estimator` on the training rows, with `classes[target]` as labels where there are classes."""
    import sklearn
    from sklearn.pipeline import Pipeline

    frame = frame_maker(data.features, [f.name for f in data.features])
    pipeline = Pipeline([("columns", _columns(data, scale)), ("model", estimator)])
    target = np.array(classes, dtype=object)[data.target.astype(np.int64)] if classes else data.target
    pipeline.fit(frame(data.rows[data.train]), target[data.train])
    answer = _class_answer(pipeline, classes) if classes else pipeline.predict
    return Trained(partial(_predict, frame, answer), partial(_save, pipeline), sklearn.__version__)


def _class_answer(pipeline: Any, classes: tuple[str, ...]) -> Callable[[Any], Any]:
    order = [list(pipeline.classes_).index(name) for name in classes]  # scikit-learn sorts its classes
    return lambda frame: pipeline.predict_proba(frame)[:, order]


def _columns(data: Dataset, scale: bool) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    categories = [f for f in data.features if f.type == "category"]
    numbers = [f.name for f in data.features if f.type != "category"]
    encoder = OneHotEncoder(
        categories=[np.array(f.categories, dtype=object) for f in categories],
        handle_unknown="error",
        sparse_output=False,
    )
    return ColumnTransformer(
        [
            ("categories", encoder, [f.name for f in categories]),
            ("numbers", StandardScaler() if scale else "passthrough", numbers),
        ]
    )


def _predict(frame: Callable[[FloatArray], Any], answer: Callable[[Any], Any], rows: FloatArray) -> FloatArray:
    found = np.asarray(answer(frame(rows)), dtype=np.float64)
    return found.reshape(len(rows), -1)


def _save(pipeline: Any, path: Path) -> None:
    import skops.io

    settle(skops.io.dumps(pipeline), path)
