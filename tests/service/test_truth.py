"""The demo models' attributions against truth that owes nothing to our engine: the model's own library, enumerated."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost

from explainer.attribution.engine import Engine
from explainer.attribution.maskers import background as background_of
from explainer.attribution.ports import Subject
from explainer.formats import open_model
from explainer.records import ExplainOptions, Explanation, FloatArray, LoadOrder, OutputSpace
from explainer.registry.candidate import check_folder
from explainer.registry.rows import uncode_rows

MODELS = ["credit-gbm", "credit-xgb", "credit-mlp", "diabetes-forest"]
FEW = 10  # features that differ between row and background in the reduced games
Library = Callable[[FloatArray], FloatArray]


def library(order: LoadOrder) -> Library:
    """The model as its own library opens and predicts it: P(bad), or the regression value, of coded rows."""
    m = order.manifest
    if m.format == "xgboost":
        booster = xgboost.Booster(model_file=order.model_path)
        types = ["c" if f.type == "category" else "q" for f in m.features]

        def predict_xgboost(rows: FloatArray) -> FloatArray:
            data = xgboost.DMatrix(
                rows, feature_types=types, feature_names=[f.name for f in m.features], enable_categorical=True
            )
            return np.asarray(booster.predict(data), dtype=np.float64)

        return predict_xgboost
    estimator = skops.io.load(order.model_path, trusted=skops.io.get_untrusted_types(file=order.model_path))

    def predict_sklearn(rows: FloatArray) -> FloatArray:
        frame = pd.DataFrame(uncode_rows(m.features, rows))
        if m.task == "regression":
            return np.asarray(estimator.predict(frame), dtype=np.float64)
        bad = list(estimator.classes_).index("bad")
        return np.asarray(estimator.predict_proba(frame)[:, bad], dtype=np.float64)

    return predict_sklearn


def in_space(values: FloatArray, space: OutputSpace) -> FloatArray:
    return np.log(values) - np.log1p(-values) if space == "log_odds" else values


def enumerated(value: Callable[[tuple[int, ...]], float], players: int) -> FloatArray:
    """Shapley values by their definition, over all subsets."""
    known = {s: value(s) for k in range(players + 1) for s in itertools.combinations(range(players), k)}
    values = np.zeros(players)
    for s, v in known.items():
        for i in set(range(players)) - set(s):
            weight = math.factorial(len(s)) * math.factorial(players - len(s) - 1) / math.factorial(players)
            values[i] += weight * (known[tuple(sorted((*s, i)))] - v)
    return values


def opened(demo_models: Path, name: str) -> LoadOrder:
    return check_folder(demo_models / name, None).order()


def explained(order: LoadOrder, background: FloatArray, rows: FloatArray, **options: Any) -> list[Explanation]:
    """What the engine says against this background."""
    features = order.manifest.features
    subject = Subject(
        model=open_model(order),
        model_digest=order.digest,
        background=background_of(background, order.background_digest),
        kinds=np.array([len(f.categories) for f in features]),
        names=tuple(f.name for f in features),
        labels=tuple(f.categories for f in features),
    )
    return [e for (e,) in Engine(subject).explain(rows, ExplainOptions(**options), order.manifest)]


@pytest.mark.parametrize("name", MODELS)
def test_reduced_games_against_enumeration(demo_models: Path, name: str) -> None:
    """With ten features free and the demo's whole background, exact methods give the enumerated values to 1e-6."""
    order = opened(demo_models, name)
    row = order.golden_rows[0]
    free = np.random.default_rng(5).permutation(len(row))[:FEW]
    background = np.tile(row, (len(order.background), 1))
    background[:, free] = order.background[:, free]
    predict = library(order)
    spaces: list[OutputSpace] = ["raw"] if order.manifest.task == "regression" else ["probability", "log_odds"]
    subsets = [s for k in range(FEW + 1) for s in itertools.combinations(range(FEW), k)]
    hybrids = np.repeat(background[None], len(subsets), axis=0)
    for i, s in enumerate(subsets):
        hybrids[i][:, free[list(s)]] = row[free[list(s)]]
    outputs = predict(hybrids.reshape(-1, len(row))).reshape(len(subsets), -1)
    for space in spaces:
        means = dict(zip(subsets, in_space(outputs, space).mean(axis=1), strict=True))
        truth = np.zeros(len(row))
        truth[free] = enumerated(means.__getitem__, FEW)
        scale = max(1.0, np.abs(truth).max())
        e = explained(order, background, row[None], output=space, method="exact" if name == "credit-mlp" else "auto")[0]
        assert e.method.exact, e.method.reason
        single = (
            1e-5 if name == "credit-xgb" and space == "log_odds" else 1e-6
        )  # its library answers in single precision
        np.testing.assert_allclose(
            e.attributions, truth, atol=single * scale, err_msg=f"{name} {space} {e.method.name}"
        )


@pytest.mark.parametrize("name", MODELS)
def test_full_schema_against_a_long_run(demo_models: Path, name: str) -> None:
    """On the full schema every value lies within its stated error of an independent long run of permutations."""
    order = opened(demo_models, name)
    row, predict = order.golden_rows[1], library(order)
    space: OutputSpace = "raw" if order.manifest.task == "regression" else "probability"
    mean, error = long_run(predict, row, order.background, walks=300)
    e = explained(order, order.background, row[None], output=space)[0]
    stated = np.array([s or 0.0 for s in e.standard_errors])
    distance = np.abs(np.array(e.attributions) - mean) / np.hypot(stated, error).clip(1e-12)
    assert distance.max() < 4.5, (name, e.method.name, distance.round(2).tolist())


def long_run(predict: Library, row: FloatArray, background: FloatArray, walks: int) -> tuple[FloatArray, FloatArray]:
    """Plain permutation sampling (Castro, Gomez and Tejada 2009), its mean and standard error; no variance tricks."""
    draw, d = np.random.default_rng(11), len(row)
    steps = np.zeros((walks, d))
    starts = background[draw.integers(len(background), size=walks)]
    orders = np.array([draw.permutation(d) for _ in range(walks)])
    hybrids = np.repeat(starts[:, None], d + 1, axis=1)
    for w in range(walks):
        for k, feature in enumerate(orders[w]):
            hybrids[w, k + 1 :, feature] = row[feature]
    outputs = predict(hybrids.reshape(-1, d)).reshape(walks, d + 1)
    np.put_along_axis(steps, orders, np.diff(outputs, axis=1), axis=1)
    return steps.mean(axis=0), steps.std(axis=0, ddof=1) / math.sqrt(walks)
