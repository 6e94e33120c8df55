"""A worker's answer passes only when its shape is right and every number is finite."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from explainer.errors import ModelFailed
from explainer.records import Explanation, Interactions, MethodReport
from explainer.workers.answers import checked_explanations, checked_interactions, checked_predictions

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


PAIRS = Interactions(1.0, 0.5, None, "raw", np.ones((2, 2)), np.zeros((2, 2)), METHOD)


def test_good_interactions_pass() -> None:
    """Finite matrices of the right size are handed on unchanged."""
    assert checked_interactions([(PAIRS,), (PAIRS, PAIRS)], 2, 2, 2) == [(PAIRS,), (PAIRS, PAIRS)]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], "0 rows where 1"),
        ([()], "gave 0"),
        ([(PAIRS, PAIRS, PAIRS)], "gave 3"),
        ([(replace(PAIRS, values=np.ones((3, 3))),)], "2 features"),
        ([(replace(PAIRS, standard_errors=np.zeros((2, 1))),)], "2 features"),
        ([(replace(PAIRS, values=np.array([[1.0, math.nan], [0.0, 1.0]])),)], "not finite"),
        ([(replace(PAIRS, standard_errors=np.array([[0.0, -1.0], [0.0, 0.0]])),)], "negative"),
        ([(replace(PAIRS, standard_errors=np.full((2, 2), math.inf)),)], "not finite"),
        ([(replace(PAIRS, prediction=math.inf),)], "not finite"),
        ([(replace(PAIRS, expected_value=math.nan),)], "not finite"),
    ],
)
def test_other_interactions_are_refused(answers: list[tuple[Interactions, ...]], message: str) -> None:
    """Missing rows, matrices of another size, and numbers that cannot be served refuse the answer."""
    with pytest.raises(ModelFailed, match=message):
        checked_interactions(answers, 1, 2, 2)
