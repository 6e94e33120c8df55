"""What `exact` promises: the truth for any model, at a cost that is known beforehand."""

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.methods.exact import AUTO_LIMIT, LIMIT, METHOD
from explainer.attribution.ports import Ask
from tests.attribution.fakes import bent, brute_force, classifier, mixed_rows, regression, softmax, subject

ASK = Ask("probability", (0, 1))
ROWS = mixed_rows(3, 1)


def test_every_output_at_once_equals_brute_force():
    """Three classes of a softmax model with interactions and a missing value, to 1e-12."""
    model = softmax(lambda x: np.stack([bent(x), x[:, 0], x[:, 1] * x[:, 4]], axis=1), 3)
    of = subject(model, mixed_rows(7, 0))
    ask = Ask("probability", (0, 2, 1))
    got = METHOD.prepare(of, ask).explain(ROWS, [0] * 3, ask)
    for i, row in enumerate(ROWS):
        truth = brute_force(model.predict, row, of.background.rows, of.background.weights)[:, [0, 2, 1]]
        assert got.values[i] == pytest.approx(truth, rel=1e-10, abs=1e-13)
    assert got.exact
    assert not got.standard_errors.any()


def test_its_evaluations_are_the_model_rows_it_asked_for():
    """The count reported is the number of rows that reached the model, beside background and prediction."""
    asked = []

    def predict(x):
        asked.append(len(x))
        return bent(x)

    of = subject(regression(predict), mixed_rows(7, 0))
    ask = Ask("raw", (0,))
    got = METHOD.prepare(of, ask).explain(ROWS[:1], [0], ask)
    assert sum(asked) == got.evaluations[0] + 7 + 1


def test_it_fits_as_far_as_it_is_allowed():
    """`auto` spends up to AUTO_LIMIT, a caller by name up to LIMIT; max_evaluations moves the limit either way."""
    of = subject(classifier(bent), np.zeros((1, 17)))
    row = np.ones(17)
    assert AUTO_LIMIT < 2**17
    assert not METHOD.suits(of, ASK, row).fits
    assert METHOD.suits(of, replace(ASK, named=True), row).fits
    assert METHOD.suits(of, replace(ASK, max_evaluations=2**17), row).fits
    refused = METHOD.suits(of, replace(ASK, named=True, max_evaluations=2**17 - 1), row)
    assert not refused.fits
    assert "131,072 evaluations, more than the 131,071" in refused.why


def test_beyond_the_limit_it_is_refused_with_the_count():
    """Twenty-one differing features are refused whoever asks, and sixty do not overflow."""
    for d in (21, 60):
        of = subject(classifier(bent), np.zeros((1, d)))
        found = METHOD.suits(of, replace(ASK, named=True, max_evaluations=2**62), np.ones(d))
        assert not found.fits
        assert f"{2.0**d:,.0f} evaluations, more than the {LIMIT:,}" in found.why
