from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from explainer.attribution.trees.evaluate import evaluate
from explainer.formats.structure.trees_sklearn import category_labels, read, why_not
from tests.formats.structure.tables import at_thresholds, probing, target, training


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Histogram boosting otherwise spends its time waiting for threads."""
    with threadpool_limits(1):
        yield


X = training()
Y = target(X)
THREE = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
FULL, FULL_Y = training(missing=False), target(training(missing=False))
FULL_THREE = np.digitize(FULL_Y, np.quantile(FULL_Y, [0.3, 0.6]))


def agrees(fitted: Any, answer: Any, rows: np.ndarray, link: str) -> None:
    found = read(fitted)
    assert found is not None
    trees, told = found
    assert told == link
    inner = np.flatnonzero((trees.left >= 0) & (trees.kind < 2))[:500]
    rows = np.vstack([rows, at_thresholds(rows, trees.threshold[inner], trees.column[inner])])
    truth = np.asarray(answer(rows)).reshape(len(rows), -1)
    assert np.allclose(evaluate(trees, rows), truth, rtol=0, atol=1e-11)
    assert (trees.cover > 0).all()
    assert why_not(fitted) == ""


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier])
def test_forests_of_classes_answer_probabilities(kind: Any) -> None:
    """The trees add up to predict_proba with missing values and values exactly at thresholds; the link is identity."""
    size = {} if kind is DecisionTreeClassifier else {"n_estimators": 10}
    fitted = kind(random_state=0, **size).fit(X, THREE)
    agrees(fitted, fitted.predict_proba, probing(X), "identity")


@pytest.mark.parametrize("kind", [DecisionTreeRegressor, RandomForestRegressor, ExtraTreesRegressor])
def test_forests_of_numbers_answer_predictions(kind: Any) -> None:
    """The trees add up to predict."""
    size = {} if kind is DecisionTreeRegressor else {"n_estimators": 10}
    fitted = kind(random_state=0, **size).fit(X, Y)
    agrees(fitted, fitted.predict, probing(X), "identity")


def test_several_targets_are_several_outputs() -> None:
    """A forest of two targets has two outputs."""
    fitted = RandomForestRegressor(5, random_state=0).fit(X, np.stack([Y, -2 * Y], axis=1))
    agrees(fitted, fitted.predict, probing(X), "identity")


@pytest.mark.parametrize(("labels", "link"), [(FULL_THREE > 1, "logistic"), (FULL_THREE, "softmax")])
def test_gradient_boosting_of_classes_answers_margins(labels: np.ndarray, link: str) -> None:
    """The trees and the constant start add up to decision_function."""
    fitted = GradientBoostingClassifier(n_estimators=8, random_state=0).fit(FULL, labels)
    agrees(fitted, fitted.decision_function, probing(FULL, missing=False), link)


@pytest.mark.parametrize("settings", [{}, {"init": "zero"}, {"loss": "huber"}, {"init": DummyRegressor()}])
def test_gradient_boosting_of_numbers_answers_predictions(settings: dict[str, Any]) -> None:
    """Whatever constant it starts from."""
    fitted = GradientBoostingRegressor(n_estimators=8, random_state=0, **settings).fit(FULL, FULL_Y)
    agrees(fitted, fitted.predict, probing(FULL, missing=False), "identity")


@pytest.mark.parametrize("categories", [None, [4, 5], [5]])
def test_histogram_boosting_answers_margins(categories: list[int] | None) -> None:
    """Native categories (which scikit-learn moves to the front), unknown ones and missing values go their way."""
    fitted = HistGradientBoostingClassifier(max_iter=8, categorical_features=categories).fit(X, THREE)
    agrees(fitted, fitted.decision_function, probing(X), "softmax")
    assert category_labels(fitted) == {}


def test_histogram_boosting_of_labels_reads_their_positions() -> None:
    """A model fitted on labels expects positions among them; one beyond is an unknown label, which goes as missing."""
    labels = np.array(["b", "a", "d", "c", "e", "f", "g"], dtype=object)
    table = X.astype(object)
    table[:, 4] = [labels[int(c)] if c == c else np.nan for c in X[:, 4]]  # noqa: PLR0124
    fitted = HistGradientBoostingRegressor(max_iter=8, categorical_features=[4, 5]).fit(table, Y)
    known = list(category_labels(fitted)[4])
    assert known == sorted(labels)
    asked = probing(X)[:300]
    given = asked.astype(object)
    coded = asked.copy()
    for i, c in enumerate(asked[:, 4]):
        given[i, 4] = np.nan if np.isnan(c) else "abcdefgxyzuv"[int(c)]
        coded[i, 4] = np.nan if np.isnan(c) else (known.index(given[i, 4]) if given[i, 4] in known else 60)
    found = read(fitted)
    assert found is not None
    assert np.allclose(evaluate(found[0], coded)[:, 0], fitted.predict(given), rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("fitted", "reason"),
    [
        (LinearRegression(), "not a tree ensemble"),
        (GradientBoostingClassifier(loss="exponential", n_estimators=2), "half a log-odds"),
        (GradientBoostingRegressor(init=LinearRegression(), n_estimators=2), "not a constant"),
        (HistGradientBoostingRegressor(loss="poisson", max_iter=2), "exponential of the margin"),
        (RandomForestClassifier(2), "several labels"),
    ],
)
def test_what_cannot_be_converted_says_why(fitted: Any, reason: str) -> None:
    """`read` answers None and `why_not` gives the sentence."""
    labels = (FULL_THREE > 1).astype(int)
    y = np.stack([labels, labels], axis=1) if isinstance(fitted, RandomForestClassifier) else labels
    fitted.fit(FULL, y)
    assert read(fitted) is None
    assert reason in why_not(fitted)
