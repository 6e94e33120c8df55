"""LightGBM models answer as LightGBM does, with categories and missing values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused
from explainer.formats import open_model
from explainer.formats.structure.inside import encoded
from tests.formats import orders

ROWS = orders.mixed_rows(300)
FRESH = orders.mixed_rows(100, seed=4)
BAD = (orders.labels(ROWS) == "bad").astype(int)
SMALL = {"n_estimators": 8, "num_leaves": 7, "verbose": -1, "min_child_samples": 5}


def opened(estimator: Any, folder: Path, **more: Any) -> OpenedModel:
    estimator.booster_.save_model(str(folder / "model"))
    return open_model(orders.order(folder / "model", orders.manifest("lightgbm", **more), ROWS))


@pytest.mark.parametrize(
    "settings",
    [{}, {"boosting_type": "dart"}, {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}],
    ids=str,
)
def test_binary_models_answer_as_lightgbm(settings: dict[str, Any], tmp_path: Path) -> None:
    """Both classes' probabilities, and trees that add up to the margin, for each way of boosting."""
    from explainer.attribution.trees.evaluate import evaluate

    estimator = lightgbm.LGBMClassifier(**SMALL, **settings).fit(ROWS, BAD, categorical_feature=[2])
    model = opened(estimator, tmp_path)
    assert model.predict(FRESH) == pytest.approx(estimator.predict_proba(FRESH), abs=1e-12)
    assert model.margin is not None
    assert model.trees is not None
    assert evaluate(model.trees, encoded(model.columns, FRESH)) == pytest.approx(model.margin(FRESH), abs=1e-9)
    assert np.array_equal(model.predict(FRESH[:1]), model.predict(FRESH)[:1])
    assert model.predict(FRESH[:0]).shape == (0, 2)


@pytest.mark.parametrize(("objective", "sums"), [("multiclass", True), ("multiclassova", False)])
def test_several_classes(objective: str, sums: bool, tmp_path: Path) -> None:
    """Softmax models open with their trees; one-against-the-rest gives no probabilities and is refused."""
    label = np.searchsorted(("a", "b", "c"), orders.labels(ROWS, ("a", "b", "c")))
    estimator = lightgbm.LGBMClassifier(**SMALL, objective=objective).fit(ROWS, label)
    if not sums:
        with pytest.raises(ModelRefused, match="not probabilities"):
            opened(estimator, tmp_path, classes=("a", "b", "c"))
        return
    model = opened(estimator, tmp_path, classes=("a", "b", "c"))
    assert model.predict(FRESH) == pytest.approx(estimator.predict_proba(FRESH), abs=1e-12)
    assert (model.link, model.trees is not None) == ("softmax", True)


def test_another_sigmoid_is_answered_by_the_library_alone(tmp_path: Path) -> None:
    """With a sigmoid parameter other than one the margin is no log-odds, so none is shown."""
    estimator = lightgbm.LGBMClassifier(**SMALL, sigmoid=0.5).fit(ROWS, BAD)
    model = opened(estimator, tmp_path)
    assert model.predict(FRESH) == pytest.approx(estimator.predict_proba(FRESH), abs=1e-12)
    assert model.margin is None
    assert "sigmoid" in model.notices[0].detail


@pytest.mark.parametrize(("objective", "trees"), [("regression", True), ("poisson", False)])
def test_regressions(objective: str, trees: bool, tmp_path: Path) -> None:
    """A regression answers in its own units; a log link leaves it a black box."""
    estimator = lightgbm.LGBMRegressor(**SMALL, objective=objective).fit(ROWS, np.abs(orders.target(ROWS)))
    model = opened(estimator, tmp_path, classes=())
    assert model.predict(FRESH)[:, 0] == pytest.approx(estimator.predict(FRESH), abs=1e-12)
    assert (model.trees is not None) == trees


def test_an_objective_without_probabilities_is_refused(tmp_path: Path) -> None:
    """A regression's file does not open as a classification."""
    estimator = lightgbm.LGBMRegressor(**SMALL).fit(ROWS, BAD)
    with pytest.raises(ModelRefused, match="'regression' gives no probabilities"):
        opened(estimator, tmp_path)
