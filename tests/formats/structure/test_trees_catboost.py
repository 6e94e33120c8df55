from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.attribution.trees.evaluate import evaluate
from explainer.formats.structure.trees_catboost import read, why_not
from tests.formats.structure.tables import at_thresholds, probing, target, training

catboost = pytest.importorskip("catboost")

X = training()
Y = target(X)
TWO = (np.median(Y) < Y).astype(int)
THREE = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))


def fitted(y: np.ndarray, x: np.ndarray = X, **settings: Any) -> Any:
    quiet = {"verbose": 0, "allow_writing_files": False, "thread_count": 1, "iterations": 8, "depth": 4}
    return catboost.CatBoost({**quiet, **settings}).fit(x, y)


@pytest.mark.parametrize(
    ("y", "link", "settings"),
    [
        (TWO, "logistic", {"loss_function": "Logloss"}),
        (Y, "identity", {"loss_function": "RMSE"}),
        (Y, "identity", {"loss_function": "RMSE", "nan_mode": "Max"}),
        (THREE, "softmax", {"loss_function": "MultiClass"}),
        (THREE, "softmax", {"loss_function": "MultiClass", "grow_policy": "Lossguide"}),
        (Y, "identity", {"loss_function": "MAE", "grow_policy": "Depthwise", "nan_mode": "Max"}),
        (np.stack([Y, 2 * Y], axis=1), "identity", {"loss_function": "MultiRMSE"}),
    ],
)
def test_trees_add_up_to_the_raw_formula(y: np.ndarray, link: str, settings: dict[str, Any]) -> None:
    """Symmetric and other trees, both places of missing values, values exactly at borders, scale and bias."""
    model = fitted(y, **settings)
    found = read(model)
    assert found is not None
    trees, told = found
    assert told == link
    inner = np.flatnonzero(trees.left >= 0)[:500]
    rows = probing(X)
    rows = np.vstack([rows, at_thresholds(rows, trees.threshold[inner], trees.column[inner])])
    truth = model.predict(rows, prediction_type="RawFormulaVal", thread_count=1).reshape(len(rows), -1)
    assert np.abs(evaluate(trees, rows) - truth).max() < 1e-11
    assert why_not(model) == ""
    assert (trees.cover[trees.roots] > 0).all()


def test_category_features_are_refused() -> None:
    """CatBoost turns categories into statistics of the target, which no test on one column can express."""
    table = np.nan_to_num(X).astype(object)
    table[:, 4] = [f"c{int(c)}" for c in np.nan_to_num(X[:, 4])]
    model = fitted(Y, table, cat_features=[4])
    assert read(model) is None
    assert "other than numeric" in why_not(model)


def test_other_losses_are_refused() -> None:
    """A Poisson model predicts the exponential of its margin."""
    model = fitted(TWO, loss_function="Poisson")
    assert read(model) is None
    assert "Poisson" in why_not(model)


def test_other_objects_are_not_catboost() -> None:
    """Anything else, and a model that was never fitted, is None."""
    assert read(object()) is None
    assert read(catboost.CatBoost()) is None
    assert why_not(object()) == "It is not a fitted CatBoost model."
