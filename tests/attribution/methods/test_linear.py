"""What `linear` promises: the closed form is the Shapley value of raw features where the model is linear."""

import numpy as np
import pytest

from explainer.attribution.methods import exact
from explainer.attribution.methods.linear import METHOD
from explainer.attribution.ports import Ask
from tests.attribution.fakes import bent, classifier, linear_model, mixed_rows, subject

RNG = np.random.default_rng(0)
ROWS = np.nan_to_num(mixed_rows(4, 1, d=4))
BACKGROUND = np.nan_to_num(mixed_rows(9, 2, d=4))
ROWS[:, [1, 3]] = RNG.integers(0, 3, size=(4, 2))
BACKGROUND[:, [1, 3]] = RNG.integers(0, 3, size=(9, 2))


def model(task, link, outputs):
    return linear_model(RNG.normal(size=(8, outputs)), RNG.normal(size=outputs), task=task, link=link)


@pytest.mark.parametrize(
    ("task", "link", "margins", "space", "outputs"),
    [
        ("regression", "identity", 1, "raw", (0,)),
        ("regression", "identity", 2, "raw", (1, 0)),
        ("classification", "logistic", 1, "raw", (0, 1)),
        ("classification", "logistic", 1, "log_odds", (1, 0)),
        ("classification", "softmax", 3, "raw", (2, 0)),
    ],
)
def test_the_closed_form_equals_enumeration(task, link, margins, space, outputs):
    """Over raw features, whose one-hot columns are one player, to 1e-12, for every output and its sign."""
    of = subject(model(task, link, margins), BACKGROUND)
    ask = Ask(space, outputs)
    got = METHOD.prepare(of, ask).explain(ROWS, [0] * 4, ask)
    truth = exact.METHOD.prepare(of, ask).explain(ROWS, [0] * 4, ask)
    assert METHOD.suits(of, ask, ROWS[0]).fits
    assert got.values == pytest.approx(truth.values, rel=1e-10, abs=1e-13)
    assert got.expected == pytest.approx(truth.expected, rel=1e-12)
    assert got.predictions == pytest.approx(truth.predictions, rel=1e-12)
    assert not got.evaluations.any()


@pytest.mark.parametrize(
    ("link", "margins", "space"),
    [("logistic", 1, "probability"), ("softmax", 3, "log_odds"), ("softmax", 3, "probability")],
)
def test_it_does_not_fit_where_the_output_bends(link, margins, space):
    """Probabilities, and log-odds of a softmax, are not linear in the margin; the reason says where it would be."""
    found = METHOD.suits(subject(model("classification", link, margins), BACKGROUND), Ask(space, (0,)), ROWS[0])
    assert not found.fits
    assert "linear in output raw" in found.why


def test_it_does_not_fit_a_model_that_is_not_known_to_be_linear():
    """A model without linear terms is refused by `suits`, and by `prepare` should that be left out."""
    of = subject(classifier(bent), mixed_rows(3, 0))
    assert not METHOD.suits(of, Ask("raw", (1,)), ROWS[0]).fits
    with pytest.raises(ValueError, match="linear terms"):
        METHOD.prepare(of, Ask("raw", (1,)))
