"""scikit-learn: models whose margin is a weighted sum of their columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from explainer.attribution.model import LinearTerms, Link

REGRESSORS = frozenset(
    {
        "ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars", "LarsCV", "Lasso",
        "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearRegression", "LinearSVR",
        "OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV", "QuantileRegressor", "Ridge", "RidgeCV",
        "SGDRegressor", "TheilSenRegressor",
    }
)  # fmt: skip
CLASSIFIERS = frozenset(
    {"LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis", "SGDClassifier"}
)  # fmt: skip


def read(fitted: object) -> tuple[LinearTerms, Link] | None:
    """Coefficients, intercept and link of a linear estimator; None for anything else.

    A classifier is linear here when its probabilities are the logistic function or the softmax of its margin, which
    one-against-the-rest classifiers of several classes are not.
    """
    estimator: Any = fitted
    kind = type(estimator).__name__
    if not type(estimator).__module__.startswith("sklearn."):
        return None
    if kind in REGRESSORS:
        return _terms(estimator), "identity"
    if kind not in CLASSIFIERS or not _log_odds(estimator, kind):
        return None
    return _terms(estimator), "logistic" if len(estimator.classes_) == 2 else "softmax"


def _terms(estimator: Any) -> LinearTerms:
    coefficients = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    intercept = np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    return LinearTerms(np.ascontiguousarray(coefficients.T), np.broadcast_to(intercept, len(coefficients)).copy())


def _log_odds(estimator: Any, kind: str) -> bool:
    binary = len(estimator.classes_) == 2 and len(np.atleast_2d(estimator.coef_)) == 1
    if kind == "SGDClassifier":
        return binary and estimator.loss == "log_loss"
    one_against_rest = (
        getattr(estimator, "multi_class", "auto") == "ovr" or getattr(estimator, "solver", "") == "liblinear"
    )
    return binary or not one_against_rest
