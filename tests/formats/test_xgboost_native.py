"""XGBoost models answer as XGBoost does, whatever their form, and a lost base score is found out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused
from explainer.formats import compare_golden, open_model
from explainer.formats.structure.inside import encoded
from explainer.records import FloatArray, GoldenSpec
from tests.formats import orders

ROWS = orders.mixed_rows(300)
BAD = (orders.labels(ROWS) == "bad").astype(int)
FRESH = orders.mixed_rows(100, seed=4)
TYPES = ["q", "int", "c", "i", "q"]


def matrix(rows: FloatArray, label: Any = None) -> xgboost.DMatrix:
    return xgboost.DMatrix(rows, label=label, feature_types=TYPES, enable_categorical=True)


def trained(label: Any = BAD, rounds: int = 8, **settings: Any) -> xgboost.Booster:
    return xgboost.train({"objective": "binary:logistic", "max_depth": 4, **settings}, matrix(ROWS, label), rounds)


def opened(booster: Any, folder: Path, form: str = "ubj", **more: Any) -> OpenedModel:
    booster.save_model(folder / f"model.{form}")
    (folder / f"model.{form}").rename(folder / "model")
    return open_model(orders.order(folder / "model", orders.manifest("xgboost", **more), ROWS))


@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_binary_models_answer_as_xgboost(form: str, booster: str, tmp_path: Path) -> None:
    """Both classes' probabilities, for missing values and categories, in JSON and UBJ under any file name."""
    from explainer.attribution.trees.evaluate import evaluate

    native = trained(booster=booster)
    model = opened(native, tmp_path, form)
    second = native.predict(matrix(FRESH))
    assert model.predict(FRESH) == pytest.approx(np.column_stack([1 - second, second]), abs=1e-6)
    assert model.margin is not None
    assert model.margin(FRESH)[:, 0] == pytest.approx(native.predict(matrix(FRESH), output_margin=True), abs=1e-5)
    assert model.trees is not None
    assert evaluate(model.trees, encoded(model.columns, FRESH)) == pytest.approx(model.margin(FRESH), abs=1e-5)


def test_a_row_has_the_same_bits_in_any_company(tmp_path: Path) -> None:
    """Alone, in a batch, and after opening again, a row is answered alike."""
    model, again = opened(trained(), tmp_path), opened(trained(), tmp_path)
    together = model.predict(FRESH)
    assert np.array_equal(np.concatenate([model.predict(FRESH[i : i + 1]) for i in range(100)]), together)
    assert np.array_equal(again.predict(FRESH), together)
    assert model.predict(FRESH[:0]).shape == (0, 2)


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_several_classes_are_answered_in_order(objective: str, tmp_path: Path) -> None:
    """Class i of the file is class i of the manifest, whichever form the objective answers in."""
    label = np.searchsorted(("a", "b", "c"), orders.labels(ROWS, ("a", "b", "c")))
    model = opened(trained(label, objective=objective, num_class=3), tmp_path, classes=("a", "b", "c"))
    native = trained(label, objective="multi:softprob", num_class=3)
    assert model.predict(FRESH) == pytest.approx(native.predict(matrix(FRESH)), abs=1e-6)
    assert model.link == "softmax"
    assert model.trees is not None


@pytest.mark.parametrize(
    ("objective", "trees"), [("reg:squarederror", True), ("count:poisson", False), ("reg:absoluteerror", True)]
)
def test_regressions_answer_in_their_own_units(objective: str, trees: bool, tmp_path: Path) -> None:
    """A log link is applied by the library and leaves no margin to explain; the identity keeps its trees."""
    native = trained(np.abs(orders.target(ROWS)), objective=objective)
    model = opened(native, tmp_path, classes=())
    assert model.predict(FRESH)[:, 0] == pytest.approx(native.predict(matrix(FRESH)), rel=1e-6)
    assert (model.trees is not None, model.margin is not None) == (trees, trees)
    assert [n.code for n in model.notices] == ([] if trees else ["structure-unknown"])


def test_a_linear_booster_answers_as_xgboost(tmp_path: Path) -> None:
    """Boosted linear models have no trees and are asked in their own way."""
    numbers = np.nan_to_num(orders.number_rows(100))
    data = xgboost.DMatrix(numbers, label=orders.target(numbers))
    native = xgboost.train({"booster": "gblinear", "updater": "coord_descent"}, data, 5)
    native.save_model(tmp_path / "model.json")
    declared = orders.manifest("xgboost", orders.COMPLETE, ())
    model = open_model(orders.order(tmp_path / "model.json", declared, numbers))
    assert model.predict(numbers)[:, 0] == pytest.approx(native.predict(data), abs=1e-6)


def test_early_stopping_is_followed_as_the_classifier_follows_it(tmp_path: Path) -> None:
    """A file that names its best round is used up to it, in predictions and trees alike."""
    classifier = xgboost.XGBClassifier(
        n_estimators=60, learning_rate=1.0, early_stopping_rounds=3, feature_types=TYPES, enable_categorical=True
    )
    classifier.fit(ROWS[:200], BAD[:200], eval_set=[(ROWS[200:], 1 - BAD[200:])], verbose=False)
    assert classifier.best_iteration + 1 < classifier.get_booster().num_boosted_rounds()
    model = opened(classifier, tmp_path)
    assert model.predict(FRESH) == pytest.approx(classifier.predict_proba(FRESH), abs=1e-6)
    assert model.trees is not None
    assert len(model.trees.roots) == classifier.best_iteration + 1


def test_a_lost_base_score_is_found_by_golden_predictions(tmp_path: Path) -> None:
    """A file whose base score another version reads otherwise opens well and answers wrongly: golden rows tell."""
    native = trained(base_score=0.2)
    model = opened(native, tmp_path, "json")
    golden = model.predict(ROWS[:10])
    made = GoldenSpec("golden.csv", "", "xgboost", "3.9.9")
    assert compare_golden(model, ROWS[:10], golden, made) == []
    document = json.loads((tmp_path / "model").read_bytes())
    document["learner"]["learner_model_param"]["base_score"] = "5E-1"
    (tmp_path / "model").write_text(json.dumps(document))
    other = open_model(orders.order(tmp_path / "model", orders.manifest("xgboost"), ROWS))
    (problem,) = compare_golden(other, ROWS[:10], golden, made)
    assert "10 of 10 golden rows differ" in problem.detail
    assert f"made with xgboost 3.9.9 and is opened with xgboost {xgboost.__version__}" in problem.detail


def test_an_objective_without_probabilities_is_refused(tmp_path: Path) -> None:
    """Hinge loss and ranking answer no probabilities."""
    with pytest.raises(ModelRefused, match="binary:hinge"):
        opened(trained(objective="binary:hinge"), tmp_path)
