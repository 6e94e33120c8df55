from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.attribution.trees.evaluate import evaluate
from explainer.formats.structure.trees_xgboost import read, why_not
from tests.formats.structure.tables import at_thresholds, probing, target, training

xgboost = pytest.importorskip("xgboost")

X = training()
Y = target(X)
TWO = (np.median(Y) < Y).astype(int)
THREE = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
KINDS = ["q"] * 4 + ["c"] * 2


def matrix(x: np.ndarray, y: np.ndarray | None = None) -> Any:
    return xgboost.DMatrix(x, label=y, feature_types=KINDS, enable_categorical=True)


def trained(y: np.ndarray, rounds: int = 8, **settings: Any) -> Any:
    return xgboost.train({"max_depth": 5, "nthread": 1, **settings}, matrix(X, y), rounds)


def agrees(booster: Any, found: Any, link: str, **asked: Any) -> None:
    assert found is not None
    trees, told = found
    assert told == link
    rows = probing(X)
    inner = np.flatnonzero((trees.left >= 0) & (trees.kind == 1))[:500]
    rows = np.vstack([rows, at_thresholds(rows, trees.threshold[inner], trees.column[inner])])
    truth = booster.predict(matrix(rows), output_margin=True, **asked).reshape(len(rows), -1)
    scale = max(1.0, float(np.abs(truth).max()))
    assert np.abs(evaluate(trees, rows) - truth).max() < 2e-6 * scale


@pytest.mark.parametrize(
    ("y", "link", "settings"),
    [
        (TWO, "logistic", {"objective": "binary:logistic"}),
        (
            TWO,
            "logistic",
            {"objective": "binary:logistic", "base_score": 0.2, "num_parallel_tree": 3},
        ),
        (TWO, "logistic", {"objective": "binary:logistic", "max_cat_to_onehot": 1}),
        (Y, "identity", {"objective": "reg:squarederror"}),
        (Y + 5000, "identity", {"objective": "reg:absoluteerror"}),
        (Y, "identity", {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.5}),
        (THREE, "softmax", {"objective": "multi:softprob", "num_class": 3}),
        (THREE, "softmax", {"objective": "multi:softmax", "num_class": 3}),
    ],
)
def test_trees_add_up_to_the_margin(y: np.ndarray, link: str, settings: dict[str, Any]) -> None:
    """Missing values, native and unseen categories, values at thresholds, base score, parallel trees and dropout."""
    booster = trained(y, **settings)
    agrees(booster, read(booster), link)
    assert why_not(booster) == ""


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_a_saved_booster_reads_the_same(form: str) -> None:
    """What was saved in either format and opened again has the same margin."""
    booster = trained(TWO, objective="binary:logistic")
    again = xgboost.Booster()
    again.load_model(bytearray(booster.save_raw(form)))
    agrees(booster, read(again), "logistic")


@pytest.mark.parametrize("settings", [{}, {"num_parallel_tree": 2}, {"objective": "multi:softprob", "num_class": 3}])
def test_rounds_limit_the_trees(settings: dict[str, Any]) -> None:
    """The first rounds alone give the margin of that iteration range."""
    booster = trained(THREE, **settings)
    link = "softmax" if "num_class" in settings else "identity"
    agrees(booster, read(booster, rounds=3), link, iteration_range=(0, 3))


def test_a_fitted_estimator_stops_at_its_best_iteration() -> None:
    """An XGBModel with early stopping is read as far as its own predictions go."""
    model = xgboost.XGBRegressor(n_estimators=60, early_stopping_rounds=3, n_jobs=1, learning_rate=1.0)
    noise = np.random.default_rng(0).normal(size=len(X))
    model.fit(X, noise, eval_set=[(X[::-1], noise)], verbose=False)
    found = read(model)
    assert found is not None
    assert len(found[0].roots) == model.best_iteration + 1 < 60
    assert np.allclose(evaluate(found[0], X)[:, 0], model.predict(X), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"booster": "gblinear"}, "has no trees"),
        ({"objective": "count:poisson"}, "link that is not supported"),
    ],
)
def test_what_cannot_be_converted_says_why(settings: dict[str, Any], reason: str) -> None:
    """`read` answers None and `why_not` gives the sentence."""
    settings = {k: v for k, v in settings.items()}
    plain = xgboost.DMatrix(np.nan_to_num(X), label=TWO)
    booster = xgboost.train({"nthread": 1, **settings}, plain, 2)
    assert read(booster) is None
    assert reason in why_not(booster)


def test_vector_leaves_are_refused() -> None:
    """Trees whose leaves hold several numbers are named as the reason."""
    plain = xgboost.DMatrix(np.nan_to_num(X), label=np.stack([Y, Y], axis=1))
    booster = xgboost.train({"multi_strategy": "multi_output_tree", "tree_method": "hist", "nthread": 1}, plain, 2)
    assert read(booster) is None
    assert "vector leaves" in why_not(booster)


def test_other_objects_are_not_xgboost() -> None:
    """Anything else is None, without importing or guessing."""
    assert read(object()) is None
    assert why_not(object()) == "It is not an XGBoost model."
