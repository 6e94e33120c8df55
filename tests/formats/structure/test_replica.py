"""A prediction comes from the trees only where they are proven to say what the library says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression

from explainer.attribution.model import OpenedModel
from explainer.formats.structure.inside import reveal
from explainer.formats.structure.pipeline import proving_rows
from explainer.formats.structure.replica import proof_of, replicated
from explainer.records import FloatArray
from tests.formats import orders

ROWS = np.nan_to_num(orders.number_rows(80))
OTHERS = np.nan_to_num(orders.number_rows(500, seed=9)) * 3
PROOF = proving_rows(ROWS, orders.COMPLETE)
LABELS = orders.labels(ROWS)
Answer = Callable[[FloatArray], FloatArray]


def opened(fitted: Any, margin: Answer | None = None, outputs: int = 2) -> OpenedModel:
    shown = margin or (lambda rows: fitted.decision_function(rows).reshape(len(rows), -1))
    model = OpenedModel(fitted.predict_proba, "classification", outputs, "scikit-learn", "1")
    return reveal(model, fitted, shown, PROOF)


def boosted() -> Any:
    return GradientBoostingClassifier(n_estimators=8, random_state=0).fit(ROWS, LABELS)


def test_boosted_trees_answer_with_the_librarys_own_bits() -> None:
    """Margins are summed in the library's order, so that rows never seen before get the same bits."""
    model = replicated(opened(boosted()), PROOF)
    assert model.replica is not None
    assert model.margin is not None
    assert np.array_equal(model.replica.margin(OTHERS), model.margin(OTHERS))
    assert np.allclose(model.replica.predict(OTHERS), model.predict(OTHERS), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(20, random_state=0),
        HistGradientBoostingClassifier(max_iter=10),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
    ],
)
def test_several_classes_are_within_rounding_of_the_library(estimator: Any) -> None:
    """Forests and boosting of three classes: predictions within 1e-12 on rows never seen before."""
    fitted = estimator.fit(ROWS, orders.labels(ROWS, ("a", "b", "c")))
    shown = fitted.predict_proba if isinstance(fitted, RandomForestClassifier) else fitted.decision_function
    model = replicated(opened(fitted, shown, outputs=3), PROOF)
    assert model.replica is not None
    assert np.allclose(model.replica.predict(OTHERS), model.predict(OTHERS), rtol=0, atol=1e-12)


def test_a_regression_has_one_answer() -> None:
    """With the identity link margin and prediction are the same."""
    fitted = GradientBoostingRegressor(n_estimators=5).fit(ROWS, orders.target(ROWS))
    given = OpenedModel(lambda rows: fitted.predict(rows)[:, None], "regression", 1, "scikit-learn", "1")
    model = replicated(reveal(given, fitted, given.predict, PROOF), PROOF)
    assert model.replica is not None
    assert np.array_equal(model.replica.predict(OTHERS), model.replica.margin(OTHERS))
    assert np.array_equal(model.replica.predict(OTHERS)[:, 0], fitted.predict(OTHERS))


def test_single_precision_is_summed_in_single_precision() -> None:
    """XGBoost's float32 sums are met to the bit, base score and missing values included."""
    import xgboost

    rows, others = orders.number_rows(200), orders.number_rows(500, seed=9) * 3
    settings = {"objective": "binary:logistic", "max_depth": 4, "nthread": 1, "base_score": 0.3}
    booster = xgboost.train(settings, xgboost.DMatrix(rows, label=orders.labels(rows) == "good"), 40)

    def margin(given: FloatArray) -> FloatArray:
        found = booster.inplace_predict(given, predict_type="margin", strict_shape=True)
        return np.asarray(found, dtype=np.float64)

    def predict(given: FloatArray) -> FloatArray:
        p = 1 / (1 + np.exp(-margin(given)[:, 0]))
        return np.column_stack([1 - p, p])

    proof = proving_rows(rows, orders.NUMBERS)
    given = OpenedModel(predict, "classification", 2, "xgboost", xgboost.__version__)
    model = replicated(reveal(given, booster, margin, proof), proof)
    assert model.replica is not None
    assert np.array_equal(model.replica.margin(others), margin(others))


def test_a_library_that_says_otherwise_keeps_the_word() -> None:
    """A difference of one in a thousand million is more than rounding: the library itself is asked."""
    fitted = boosted()
    off = opened(fitted, lambda rows: fitted.decision_function(rows)[:, None] + 1e-9)
    assert off.trees is not None
    assert replicated(off, PROOF).replica is None


def test_predictions_are_compared_as_well_as_margins() -> None:
    """A library that bends its margin by another link than it says is asked itself."""
    model = opened(boosted())
    assert replicated(replace(model, predict=lambda rows: model.predict(rows) ** 1.0001), PROOF).replica is None


def test_the_side_of_every_threshold_is_proven() -> None:
    """A library that sends a value that equals a threshold the other way is found out, though no row has one."""
    fitted = boosted()
    trees = opened(fitted).trees
    assert trees is not None
    inner = trees.left >= 0
    column, threshold = trees.column[inner], trees.threshold[inner].astype(np.float32)

    def margin(rows: FloatArray) -> FloatArray:
        equal = (rows[:, column].astype(np.float32) == threshold).any(axis=1)
        return np.asarray(fitted.decision_function(rows)[:, None] + equal[:, None])

    assert np.array_equal(margin(PROOF)[:, 0], fitted.decision_function(PROOF))
    given = replace(opened(fitted), margin=margin)
    assert replicated(given, PROOF).replica is None


def test_a_value_that_was_never_missing_in_the_proof_is_left_to_the_library() -> None:
    """Rows with a missing value that the schema does not allow meet the library's own refusal."""
    model = replicated(opened(boosted()), PROOF)
    assert model.replica is not None
    lacking = ROWS[:1].copy()
    lacking[0, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.replica.predict(lacking)
    with pytest.raises(ValueError, match="NaN"):
        model.replica.margin(lacking)


def test_a_library_that_refuses_a_value_beside_a_threshold_is_asked_itself() -> None:
    """Some models answer known values only; their own word stands."""
    model = opened(boosted())

    def fussy(rows: FloatArray) -> FloatArray:
        if not np.isin(rows, np.concatenate([ROWS, PROOF])).all():
            raise ValueError("unknown value")
        return np.asarray(model.predict(rows))

    assert replicated(replace(model, predict=fussy), PROOF).replica is None


def test_what_has_no_trees_has_no_replica() -> None:
    """A linear model is left as it is."""
    fitted = LogisticRegression().fit(ROWS, LABELS)
    model = opened(fitted)
    assert replicated(model, PROOF) is model


def test_golden_rows_are_part_of_the_proof() -> None:
    """The rows that every opening compares come first, before background rows and their mixtures."""
    from pathlib import Path

    order = orders.order(Path("none"), orders.manifest("fake"), orders.mixed_rows(20))
    assert np.array_equal(proof_of(order)[:5], order.golden_rows, equal_nan=True)
    assert len(proof_of(order)) > 5 + len(order.background)
