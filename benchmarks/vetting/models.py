"""Honest models of several families, and scaffolds that show explainers another model than they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from explainer.attribution.model import IntArray
from explainer.attribution.vetting.perturbed import drawn_apart, mixtures
from explainer.demo.datasets import Dataset
from explainer.records import FloatArray

Predict = Callable[[FloatArray], FloatArray]
GOLDEN, BACKGROUND = 20, 100


@dataclass(frozen=True, slots=True)
class Split:
    """One seed's split of a data set: a quarter is held back, of which come the golden rows."""

    rows: FloatArray
    target: FloatArray
    kinds: IntArray
    classes: bool
    train: IntArray
    background: FloatArray
    golden: FloatArray
    seed: int


def split(data: Dataset, seed: int) -> Split:
    order = np.random.default_rng(seed).permutation(len(data.rows))
    held = len(order) // 4
    kinds = np.array([2 if f.type == "boolean" else len(f.categories) for f in data.features])
    return Split(
        rows=data.rows,
        target=data.target,
        kinds=kinds,
        classes=len(np.unique(data.target)) == 2,
        train=order[held:],
        background=data.rows[order[held : held + BACKGROUND]],
        golden=data.rows[order[:GOLDEN]],
        seed=seed,
    )


def honest(at: Split) -> dict[str, Predict]:
    """A fitted model of each family, by name."""
    families = _classifiers(at) if at.classes else _regressors(at)
    found: dict[str, Predict] = {}
    for name, model in families.items():
        model.fit(at.rows[at.train], at.target[at.train])
        found[name] = model.predict_proba if at.classes else _as_matrix(model.predict)
    return found


def _as_matrix(predict: Predict) -> Predict:
    return lambda rows: predict(rows)[:, None]


def _encoded(at: Split, model: object) -> object:
    numbers, categories = np.flatnonzero(at.kinds == 0), np.flatnonzero(at.kinds > 0)
    steps = [("n", StandardScaler(), numbers), ("c", OneHotEncoder(handle_unknown="ignore"), categories)]
    return make_pipeline(ColumnTransformer(steps), model)


def _classifiers(at: Split) -> dict:  # type: ignore[type-arg]
    s = at.seed
    return {
        "logistic": _encoded(at, LogisticRegression(max_iter=500)),
        "boosted": GradientBoostingClassifier(random_state=s),
        "boosted, overfitted": HistGradientBoostingClassifier(max_iter=300, random_state=s),
        "forest": RandomForestClassifier(100, min_samples_leaf=10, random_state=s),
        "forest, overfitted": RandomForestClassifier(100, random_state=s),
        "tree, overfitted": DecisionTreeClassifier(random_state=s),
        "network": _encoded(at, MLPClassifier(hidden_layer_sizes=(32,), alpha=5.0, max_iter=300, random_state=s)),
        "network, overfitted": _encoded(at, MLPClassifier(hidden_layer_sizes=(64,), max_iter=300, random_state=s)),
        "support vectors": _encoded(at, SVC(probability=True, random_state=s)),
        "neighbours": _encoded(at, KNeighborsClassifier(5)),
    }


def _regressors(at: Split) -> dict:  # type: ignore[type-arg]
    s = at.seed
    return {
        "ridge": _encoded(at, Ridge()),
        "boosted": GradientBoostingRegressor(random_state=s),
        "boosted, overfitted": HistGradientBoostingRegressor(max_iter=300, min_samples_leaf=5, random_state=s),
        "forest": RandomForestRegressor(100, min_samples_leaf=10, random_state=s),
        "forest, overfitted": RandomForestRegressor(100, random_state=s),
        "tree, overfitted": DecisionTreeRegressor(random_state=s),
        "network": _encoded(
            at,
            MLPRegressor(hidden_layer_sizes=(32,), alpha=5.0, max_iter=1000, learning_rate_init=0.01, random_state=s),
        ),
        "support vectors": _encoded(at, SVR(C=100.0)),
        "neighbours": _encoded(at, KNeighborsRegressor(5)),
    }


def scaffold(at: Split, against: str) -> Predict:
    """A model after Slack et al. 2020: biased on rows that look real, harmless on rows that look perturbed.

    `against` says which perturbations its forest was trained to tell from real rows: `mixtures`, `drawn apart`, `both`.
    """
    random = np.random.default_rng(1000 + at.seed)
    real = at.rows[at.train]
    count = 8 * len(real)
    parts = {
        "mixtures": mixtures(real, real, count, random),
        "drawn apart": drawn_apart(real, at.kinds, count, random),
    }
    parts["both"] = np.concatenate([parts["mixtures"][::2], parts["drawn apart"][::2]])
    made = parts[against]
    looks = RandomForestClassifier(100, min_samples_leaf=3, class_weight="balanced", random_state=at.seed)
    looks.fit(np.concatenate([real, made]), np.repeat([1, 0], [len(real), len(made)]))
    biased, harmless = random.choice(at.rows.shape[1], 2, replace=False)
    middles = np.median(real, axis=0)

    def predict(rows: FloatArray) -> FloatArray:
        feature = np.where(looks.predict(rows) == 1, biased, harmless)
        high = _high(rows, feature, middles)
        if at.classes:
            return np.column_stack([1 - high, high])
        return (100 + 100 * high)[:, None]

    return predict


def _high(rows: FloatArray, feature: IntArray, middles: FloatArray) -> FloatArray:
    places = np.arange(len(rows))
    return (rows[places, feature] > middles[feature]).astype(np.float64)
