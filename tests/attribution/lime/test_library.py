"""What is left to the `lime` library."""

import numpy as np
import pytest
from lime.lime_tabular import LimeTabularExplainer

from explainer.attribution.lime.library import Asked, explained, labels
from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Background, Subject
from explainer.errors import InvalidOption
from explainer.records import FloatArray

DATA = np.column_stack([np.random.default_rng(0).normal(size=(200, 2)), np.arange(200) % 3])


def predict(rows: FloatArray) -> FloatArray:
    p = 1 / (1 + np.exp(-3 * rows[:, 0] - (rows[:, 2] == 1)))
    return np.stack([1 - p, p], axis=1)


MODEL = OpenedModel(predict, "classification", 2, "by hand", "1")
SUBJECT = Subject(
    MODEL,
    "m",
    Background(DATA, np.full(200, 1 / 200), "b"),
    np.array([0, 0, 3]),
    ("a", "b", "c"),
    ((), (), tuple("xyz")),
)
ASKED = Asked(SUBJECT, DATA, labels(MODEL, DATA), LimeOptions(discretizer="entropy", samples=500))


def test_the_librarys_answer_is_given_as_it_is() -> None:
    """Weights, intercept and R2 with entropy cells are the library's for the same seed, output by output."""
    outcome, rules = explained(ASKED, DATA[0], predict, 11)
    explainer = LimeTabularExplainer(
        DATA,
        training_labels=predict(DATA).argmax(axis=1),
        categorical_features=[2],
        discretizer="entropy",
        feature_selection="none",
        random_state=11,
    )
    theirs = explainer.explain_instance(DATA[0], predict, labels=(1,), num_samples=500)
    weights = dict(theirs.local_exp[1])
    np.testing.assert_allclose(outcome.surrogate.coefficients[:, 1], [weights[j] for j in range(3)], rtol=1e-9)
    np.testing.assert_allclose(outcome.surrogate.coefficients[:, 0], -outcome.surrogate.coefficients[:, 1], rtol=1e-9)
    assert outcome.surrogate.intercept[1] == pytest.approx(theirs.intercept[1], rel=1e-9)
    assert outcome.surrogate.r2[1] == pytest.approx(theirs.score, rel=1e-9)
    assert rules[2] == "c=x"
    assert "a" in rules[0]


def test_no_error_is_made_up() -> None:
    """Errors and stability are NaN, and the evaluations of both outputs and of the row are counted."""
    outcome, _ = explained(ASKED, DATA[0], predict, 11)
    assert np.isnan(outcome.surrogate.standard_errors).all()
    assert np.isnan(outcome.surrogate.stability).all()
    assert (outcome.end, outcome.evaluations) == ("library", 1001)


def test_a_missing_value_is_refused() -> None:
    """The library cannot treat a missing value, so the error says which cells can."""
    with pytest.raises(InvalidOption, match="quartile or decile"):
        explained(ASKED, np.array([np.nan, 0, 0]), predict, 11)


def test_a_regression_is_labelled_by_its_median() -> None:
    """Entropy needs classes: predictions above the median and the rest."""
    model = OpenedModel(lambda rows: rows[:, :1], "regression", 1, "by hand", "1")
    np.testing.assert_array_equal(labels(model, np.array([[1.0], [5], [3], [4]])), [0, 1, 0, 1])
