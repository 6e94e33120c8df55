"""`credit-xgb`: XGBoost in its own format, with categories as categories."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from explainer.demo.credit import BAD, CLASSES, DECISION, FLAWS, MISUSE, PURPOSE
from explainer.demo.datasets import Dataset, german_credit
from explainer.demo.recipe import Recipe, Trained
from explainer.records import FloatArray

TYPES = {"category": "c", "integer": "int", "number": "q"}
ROUNDS = 120
SETTINGS: dict[str, object] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "eta": 0.05,
    "max_depth": 3,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "min_child_weight": 5,
    "reg_lambda": 5,
    "seed": 0,
    "nthread": 1,
}


def train(data: Dataset) -> Trained:
    import xgboost

    names = [f.name for f in data.features]
    types = [TYPES[f.type] for f in data.features]
    matrix = partial(
        xgboost.DMatrix, feature_names=names, feature_types=types, enable_categorical=True, missing=np.nan, nthread=1
    )
    booster = xgboost.train(
        SETTINGS, matrix(data.rows[data.train], label=data.target[data.train]), num_boost_round=ROUNDS
    )
    return Trained(partial(_predict, booster, matrix), partial(_save, booster), xgboost.__version__)


def _predict(booster: Any, matrix: Any, rows: FloatArray) -> FloatArray:
    bad = booster.predict(matrix(rows)).astype(np.float64)
    return np.column_stack([1.0 - bad, bad])


def _save(booster: Any, path: Path) -> None:
    path.write_bytes(booster.save_raw("ubj"))


RECIPE = Recipe(
    name="credit-xgb",
    format="xgboost",
    file="model.ubj",
    library="xgboost",
    task="classification",
    output="probability",
    classes=CLASSES,
    positive_class=BAD,
    decision=DECISION,
    dataset=german_credit,
    train=train,
    kind="XGBoost, 120 boosted trees of depth 3 that split on categories as categories, without one-hot columns",
    training="Of four settings this one was chosen for the lowest Brier score in twice repeated five-fol"
    "d cross-validation on the training rows alone (Brier 0.163, AUC 0.790). "
    "Each tree sees half the features and 70 % of the rows.",
    purpose=PURPOSE,
    flaws=FLAWS,
    misuse=MISUSE,
    order=2,
)
