"""What `checks` promises: an answer that does not add up or is not finite is never served."""

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.checks import SINGLE, Bounds, additivity, coarse, finite
from explainer.attribution.ports import Attributions
from explainer.errors import ModelFailed

GOOD = Attributions(
    values=np.array([[[0.2], [0.1]]]),
    standard_errors=np.zeros((1, 2, 1)),
    expected=np.array([[0.4]]),
    predictions=np.array([[0.7]]),
    evaluations=np.array([8]),
    exact=True,
    additive=True,
)


def gap(answer: Attributions, prediction: float, floor: float = 1.0) -> float:
    return float(additivity(answer, np.array([[prediction]]), Bounds(floor, 1.96), "fake")[0, 0])


def test_the_gap_is_measured_against_the_models_own_prediction():
    """expected + attributions - prediction, in the output's units, whatever the method takes the prediction for."""
    assert gap(GOOD, 0.7 + 3e-7) == pytest.approx(3e-7, rel=1e-6)


def test_an_exact_answer_that_is_off_is_withheld():
    """A millionth of the scale is the most; beyond it the message names method, gap and what was allowed."""
    with pytest.raises(ModelFailed, match=r"'fake'.*0\.7001 by 0\.0001.*withheld"):
        gap(GOOD, 0.7001)


def test_the_scale_is_that_of_the_numbers():
    """A gap of 0.1 is nothing for a regression in the hundred thousands, and too much for one that answers 0.7."""
    large = replace(GOOD, values=GOOD.values * 1e6, expected=GOOD.expected * 1e6)
    assert gap(large, 7e5 + 0.1, floor=0.0) == pytest.approx(0.1, rel=1e-6)
    with pytest.raises(ModelFailed):
        gap(GOOD, 0.8, floor=0.0)


def test_a_sampled_answer_may_be_off_by_its_stated_error():
    """Within z times the summed standard errors it is served; unknown errors allow nothing."""
    sampled = replace(GOOD, exact=False, standard_errors=np.full((1, 2, 1), 0.01))
    assert gap(sampled, 0.73) == pytest.approx(0.03)
    with pytest.raises(ModelFailed):
        gap(sampled, 0.75)
    with pytest.raises(ModelFailed):
        gap(replace(sampled, standard_errors=np.full((1, 2, 1), np.nan)), 0.73)


def test_trees_may_be_off_by_single_precision_but_the_reader_is_told():
    """With the wider share a gap of 5e-6 is served and marked as coarse, one of 1e-4 is withheld all the same."""
    bounds = Bounds(1.0, 1.96, SINGLE)
    for off, marked in ((5e-7, False), (5e-6, True)):
        predictions = np.array([[0.7 + off]])
        assert coarse(GOOD, predictions, additivity(GOOD, predictions, bounds, "fake"), bounds)[0, 0] == marked
    with pytest.raises(ModelFailed):
        additivity(GOOD, np.array([[0.7001]]), bounds, "fake")


def test_numbers_that_are_not_finite_are_withheld():
    """NaN or infinity as a value, an expected value or an error is refused; NaN as an unknown error is not."""
    finite(replace(GOOD, standard_errors=np.full((1, 2, 1), np.nan)), "fake")
    for broken in (
        replace(GOOD, values=np.array([[[np.nan], [0.1]]])),
        replace(GOOD, expected=np.array([[np.inf]])),
        replace(GOOD, standard_errors=np.full((1, 2, 1), np.inf)),
    ):
        with pytest.raises(ModelFailed, match="not finite"):
            finite(broken, "fake")
