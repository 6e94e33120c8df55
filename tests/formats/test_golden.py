"""A model that no longer answers as it did when it was made is found out."""

from __future__ import annotations

import numpy as np

from explainer.attribution.model import OpenedModel
from explainer.formats.golden import TOLERANCE, compare_golden
from explainer.records import FloatArray, GoldenSpec
from tests.formats import orders

ROWS = orders.number_rows(10)
MADE = GoldenSpec("golden.csv", "", "xgboost", "2.1.0")


def regression(answers: FloatArray, version: str = "3.2.0") -> OpenedModel:
    return OpenedModel(lambda rows: answers[: len(rows)], "regression", 1, "xgboost", version)


def test_the_same_predictions_are_no_problem() -> None:
    """Differences below the tolerance of the largest golden prediction count as equal."""
    golden = np.linspace(0.0, 1000.0, 10).reshape(-1, 1)
    assert compare_golden(regression(golden + 0.9 * TOLERANCE * 1000.0), ROWS, golden, MADE) == []


def test_a_difference_names_row_size_and_both_versions() -> None:
    """The problem says how many rows differ, the largest difference, and with which versions."""
    golden = np.ones((10, 1))
    now = golden.copy()
    now[3:5] += 0.25
    now[4] += 0.25
    (problem,) = compare_golden(regression(now), ROWS, golden, MADE)
    assert "2 of 10 golden rows differ; the most in row 4" in problem.detail
    assert "1.5 now, 1 when the model was made" in problem.detail
    assert "xgboost 2.1.0 and is opened with xgboost 3.2.0" in problem.detail


def test_probabilities_are_compared_on_the_scale_of_one() -> None:
    """A small probability may not drift by more than 1e-5 either, and need not be equal in relative terms."""
    golden = np.tile([1.0 - 1e-6, 1e-6], (10, 1))
    near = golden + np.array([-5e-6, 5e-6])
    far = golden + np.array([-2e-5, 2e-5])
    for now, count in ((near, 0), (far, 1)):
        model = OpenedModel(lambda rows, a=now: a, "classification", 2, "xgboost", "2.1.0")  # type: ignore[misc]
        assert len(compare_golden(model, ROWS, golden, MADE)) == count


def test_another_shape_or_no_rows_are_problems() -> None:
    """Golden predictions that cannot be compared prove nothing, so they are a problem."""
    model = regression(np.ones((10, 1)))
    assert [p.rule for p in compare_golden(model, ROWS, np.ones((10, 2)), MADE)] == ["shape"]
    assert [p.rule for p in compare_golden(model, ROWS[:0], np.ones((0, 1)), MADE)] == ["empty"]


def test_a_difference_under_the_same_version_blames_the_file() -> None:
    """With equal versions the reader is pointed to the file, the schema or the classes."""
    (problem,) = compare_golden(regression(np.zeros((10, 1)), "2.1.0"), ROWS, np.ones((10, 1)), MADE)
    assert "the same as now: the model file, the schema or the order of classes" in problem.detail


def test_golden_predictions_of_zero_do_not_divide_by_zero() -> None:
    """When every golden value is zero the difference is taken as it is."""
    assert compare_golden(regression(np.full((10, 1), 1e-6)), ROWS, np.zeros((10, 1)), MADE) == []


def test_a_remote_model_that_changed_is_told_as_such() -> None:
    """Where no library is stated the reader is told that the served model has changed."""
    (problem,) = compare_golden(regression(np.zeros((10, 1))), ROWS, np.ones((10, 1)), GoldenSpec("g", "", "", ""))
    assert "changed where it is served" in problem.detail
