"""Weights and link of linear estimators reproduce what scikit-learn computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC, LinearSVR

from explainer.formats.classifier import probabilities
from explainer.formats.structure.linear_sklearn import read
from tests.formats import orders

ROWS = np.nan_to_num(orders.number_rows(90))
LABELS = orders.labels(ROWS)
THREE = orders.labels(ROWS, ("a", "b", "c"))


@pytest.mark.parametrize(
    "estimator",
    [
        linear_model.LinearRegression(fit_intercept=False),
        linear_model.Ridge(),
        linear_model.Lasso(0.1),
        linear_model.ElasticNet(0.1),
        linear_model.SGDRegressor(),
        linear_model.HuberRegressor(),
        linear_model.BayesianRidge(),
        LinearSVR(),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_regression_is_its_weighted_sum(estimator: Any) -> None:
    """columns @ coefficients + intercept is what predict gives, with or without an intercept."""
    fitted = estimator.fit(ROWS, orders.target(ROWS))
    found = read(fitted)
    assert found is not None
    terms, link = found
    assert link == "identity"
    assert (ROWS @ terms.coefficients + terms.intercept)[:, 0] == pytest.approx(fitted.predict(ROWS))


@pytest.mark.parametrize(
    ("estimator", "labels"),
    [
        (linear_model.LogisticRegression(), LABELS),
        (linear_model.LogisticRegression(), THREE),
        (linear_model.LogisticRegression(solver="liblinear"), LABELS),
        (linear_model.SGDClassifier(loss="log_loss"), LABELS),
        (LinearDiscriminantAnalysis(), LABELS),
        (LinearDiscriminantAnalysis(), THREE),
    ],
    ids=lambda v: type(v).__name__,
)
def test_a_classifier_is_the_link_of_its_weighted_sum(estimator: Any, labels: Any) -> None:
    """The logistic function or softmax of the sum is what predict_proba gives."""
    fitted = estimator.fit(ROWS, labels)
    found = read(fitted)
    assert found is not None
    terms, link = found
    margin = ROWS @ terms.coefficients + terms.intercept
    assert probabilities(margin, link) == pytest.approx(fitted.predict_proba(ROWS), abs=1e-12)


@pytest.mark.parametrize(
    ("estimator", "labels"),
    [
        (linear_model.SGDClassifier(loss="log_loss"), THREE),
        (linear_model.SGDClassifier(loss="modified_huber"), LABELS),
        (LinearSVC(), LABELS),
        (MLPClassifier((2,), max_iter=1), LABELS),
    ],
    ids=lambda v: type(v).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_is_no_link_of_a_weighted_sum_is_not_called_linear(estimator: Any, labels: Any) -> None:
    """One against the rest, other losses, no probabilities and networks are left to other methods."""
    assert read(estimator.fit(ROWS, labels)) is None


def test_a_regression_with_a_log_link_is_not_called_linear() -> None:
    """Poisson regression predicts the exponential of its sum."""
    fitted = linear_model.PoissonRegressor().fit(ROWS, np.abs(orders.target(ROWS)))
    assert read(fitted) is None
    assert read(object()) is None
