"""A worker's answer passes only when its shape is right and every number is finite."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from explainer.errors import ModelFailed
from explainer.records import Explanation, MethodReport
from explainer.workers.answers import checked_explanations, checked_predictions

METHOD = MethodReport("m", 1, "r", True, 1, None, "b", None)
GOOD = Explanation(1.0, 0.5, None, "raw", (1.0, 2.0), (0.0, None), METHOD)


def test_good_answers_pass() -> None:
    """Finite answers of the right shape are handed on unchanged; an unknown standard error is no fault."""
    predictions = np.ones((2, 3))
    assert checked_predictions(predictions, 2, 3) is predictions
    assert checked_explanations([(GOOD,), (GOOD, GOOD)], 2, 2, 2) == [(GOOD,), (GOOD, GOOD)]


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (6,), (0, 3), (2, 3, 1)])
def test_predictions_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """Any other shape than (rows, outputs) is refused."""
    with pytest.raises(ModelFailed, match="expected"):
        checked_predictions(np.zeros(shape), 2, 3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_predictions_that_are_not_finite_are_refused(value: float) -> None:
    """One number that is not finite refuses the answer, and the first such row is named."""
    with pytest.raises(ModelFailed, match="1 of 3 rows, the first of them row 1"):
        checked_predictions(np.array([[0.0], [value], [0.0]]), 3, 1)


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, prediction=math.nan),
        replace(GOOD, expected_value=math.inf),
        replace(GOOD, attributions=(1.0, math.nan)),
        replace(GOOD, attributions=(1.0,)),
        replace(GOOD, standard_errors=(0.0,)),
        replace(GOOD, standard_errors=(0.0, -1.0)),
        replace(GOOD, standard_errors=(0.0, math.inf)),
    ],
)
def test_bad_explanations_are_refused(bad: Explanation) -> None:
    """A number that is not finite, a negative error or a wrong length refuses the answer, and the row is named."""
    with pytest.raises(ModelFailed, match="row 1"):
        checked_explanations([(GOOD,), (bad,)], 2, 2, 1)


@pytest.mark.parametrize("answers", [[], [(GOOD,)], [(GOOD,), ()], [(GOOD,), (GOOD, GOOD)]])
def test_explanations_for_other_rows_are_refused(answers: list[tuple[Explanation, ...]]) -> None:
    """Too few rows, a row without an explanation and more explanations than outputs are refused."""
    with pytest.raises(ModelFailed):
        checked_explanations(answers, 2, 2, 1)
