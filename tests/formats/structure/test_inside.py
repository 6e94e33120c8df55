"""Structure is shown only where it agrees with the model's own margin."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
from sklearn.naive_bayes import GaussianNB

from explainer.attribution.model import OpenedModel
from explainer.formats.structure.inside import reveal
from explainer.records import FloatArray
from tests.formats import orders

ROWS = np.nan_to_num(orders.number_rows(80))
LABELS = orders.labels(ROWS)


def classifier(fitted: object) -> OpenedModel:
    return OpenedModel(fitted.predict_proba, "classification", 2, "scikit-learn", "1")  # type: ignore[attr-defined]


def test_boosted_trees_get_their_link_and_margin() -> None:
    """A boosted classifier has the logistic link and one margin."""
    fitted = GradientBoostingClassifier(n_estimators=5).fit(ROWS, LABELS)
    model = reveal(classifier(fitted), fitted, lambda rows: fitted.decision_function(rows)[:, None], ROWS)
    assert (model.link, model.trees is not None, model.margin is not None) == ("logistic", True, True)
    assert model.notices == ()


def test_a_forest_has_its_probabilities_as_margin() -> None:
    """Trees of a forest add up to the probabilities themselves: identity link, both classes."""
    fitted = RandomForestClassifier(5).fit(ROWS, LABELS)
    model = reveal(classifier(fitted), fitted, lambda rows: rows, ROWS)
    assert model.link == "identity"
    assert model.margin is not None
    assert np.array_equal(model.margin(ROWS), fitted.predict_proba(ROWS))


def test_trees_that_do_not_add_up_are_left_out_with_a_notice() -> None:
    """When the margin is not what the trees say, they are not used, and the reader is told."""
    fitted = GradientBoostingClassifier(n_estimators=5).fit(ROWS, LABELS)

    def other(rows: FloatArray) -> FloatArray:
        return np.asarray(fitted.decision_function(rows)[:, None] + 0.01, dtype=np.float64)

    model = reveal(classifier(fitted), fitted, other, ROWS)
    assert model.trees is None
    assert "do not add up" in model.notices[0].detail


def test_trees_that_cannot_be_read_are_told_with_the_reason() -> None:
    """A tree ensemble of an unsupported kind is a black box, and the notice says why."""
    fitted = GradientBoostingClassifier(n_estimators=5, loss="exponential").fit(ROWS, LABELS)
    model = reveal(classifier(fitted), fitted, lambda rows: rows, ROWS)
    assert model.trees is None
    assert "exponential" in model.notices[0].detail


def test_what_is_no_ensemble_needs_no_notice() -> None:
    """Naive Bayes is plainly a black box."""
    fitted = GaussianNB().fit(ROWS, LABELS)
    assert reveal(classifier(fitted), fitted, lambda rows: rows, ROWS).notices == ()


def test_a_regression_has_its_prediction_as_margin() -> None:
    """With the identity link the margin is the prediction."""
    fitted = GradientBoostingRegressor(n_estimators=5).fit(ROWS, orders.target(ROWS))
    given = OpenedModel(lambda rows: fitted.predict(rows)[:, None], "regression", 1, "scikit-learn", "1")
    model = reveal(given, fitted, lambda rows: rows, ROWS)
    assert model.margin is given.predict
    assert model.trees is not None
