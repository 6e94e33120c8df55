"""No row reaches a model unchecked, and no answer leaves it unchecked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explainer.attribution.model import OpenedModel, Replica
from explainer.errors import ModelFailed, ModelRefused
from explainer.formats.checked import UncodedRowsError, checked
from explainer.records import FloatArray
from tests.formats import orders

ROWS = orders.mixed_rows(20)
ORDER = orders.order(Path("none"), orders.manifest("fake"), ROWS)
STRICT = orders.order(
    Path("none"), orders.manifest("fake", tuple(replace(f, nullable=False) for f in orders.FEATURES)), ROWS
)


def half(rows: FloatArray) -> FloatArray:
    return np.full((len(rows), 2), 0.5)


def model(predict: Callable[[FloatArray], FloatArray] = half, outputs: int = 2) -> OpenedModel:
    return OpenedModel(predict, "classification", outputs, "fake", "1")


def later(answer: Callable[[FloatArray], FloatArray]) -> Callable[[FloatArray], FloatArray]:
    """Right while the model is being opened on the background, `answer` afterwards."""
    return lambda rows: half(rows) if len(rows) > 5 else answer(rows)


def test_no_rows_are_answered_without_the_model() -> None:
    """An empty matrix gives an empty answer of the right width, whatever the model would do."""
    assert checked(model(), ORDER).predict(ROWS[:0]).shape == (0, 2)


@pytest.mark.parametrize("rows", [ROWS[:2, :4], ROWS[0], ROWS[:2].astype(np.float32), np.zeros((1, 6))])
def test_rows_of_another_shape_or_type_never_reach_the_model(rows: FloatArray) -> None:
    """A wrong width, a single vector or float32 is refused: native code would crash or answer nonsense."""
    with pytest.raises(UncodedRowsError, match="float64"):
        checked(model(), ORDER).predict(rows)


@pytest.mark.parametrize(("column", "value"), [(2, 4.0), (2, -1.0), (2, 0.5), (3, 2.0)])
def test_a_number_that_is_no_code_never_reaches_the_model(column: int, value: float) -> None:
    """A category or boolean outside its codes is refused by feature and row."""
    rows = ROWS[:2].copy()
    rows[1, column] = value
    with pytest.raises(UncodedRowsError, match="Row 1"):
        checked(model(), ORDER).predict(rows)


def test_infinity_never_reaches_the_model() -> None:
    """An infinite number is refused."""
    rows = ROWS[:1].copy()
    rows[0, 4] = np.inf
    with pytest.raises(UncodedRowsError, match="infinite"):
        checked(model(), ORDER).predict(rows)


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (2,)])
def test_an_answer_of_another_shape_is_a_failure(shape: tuple[int, ...]) -> None:
    """A model that answers another shape than (rows, outputs) has failed."""
    opened = checked(model(later(lambda rows: np.full(shape, 0.5))), STRICT)
    with pytest.raises(ModelFailed, match="shape"):
        opened.predict(ROWS[:1])


def test_an_answer_that_is_not_finite_is_a_failure() -> None:
    """NaN is never handed on as a prediction."""
    opened = checked(model(later(lambda rows: np.array([[0.5, np.nan]]))), STRICT)
    with pytest.raises(ModelFailed, match="row 0 is not a finite number"):
        opened.predict(ROWS[:1])


def test_a_margin_is_checked_as_well() -> None:
    """The margin of a binary model has one column; two are a failure at opening."""
    wrong = OpenedModel(half, "classification", 2, "fake", "1", link="logistic", margin=half)
    with pytest.raises(ModelFailed, match="margin"):
        checked(wrong, ORDER)


def test_another_number_of_outputs_than_the_manifest_has_classes_is_refused() -> None:
    """Three outputs do not fit two classes."""
    with pytest.raises(ModelRefused, match="3 outputs"):
        checked(model(outputs=3), ORDER)


@pytest.mark.parametrize("row", [[0.5, 0.6], [1.5, -0.5]])
def test_outputs_that_are_no_probabilities_are_refused(row: list[float]) -> None:
    """A classifier whose answers do not sum to one, or lie below zero, is not opened."""
    with pytest.raises(ModelRefused, match="not probabilities"):
        checked(model(lambda rows: np.tile(row, (len(rows), 1))), ORDER)


def test_a_model_that_refuses_what_the_schema_lets_be_missing_is_refused_by_name() -> None:
    """A model that raises on NaN does not fit a schema with a nullable feature; the feature is named."""

    def fussy(rows: FloatArray) -> FloatArray:
        if len(rows) == 1 and np.isnan(rows[0, 2]):
            raise ValueError("Input X contains NaN.")
        return half(rows)

    with pytest.raises(ModelRefused, match=r"'housing' may be missing by the schema.*Input X contains NaN"):
        checked(model(fussy), ORDER)


def test_a_replica_is_behind_the_same_checks() -> None:
    """Neither uncoded rows nor answers that are not finite pass by way of the replica."""
    wild = Replica(lambda rows: np.full((len(rows), 2), np.inf), half)
    opened = checked(replace(model(), replica=wild), ORDER).replica
    assert opened is not None
    assert opened.margin(ROWS[:3]).shape == (3, 2)
    with pytest.raises(ModelFailed, match="not a finite number"):
        opened.predict(ROWS[:1])
    with pytest.raises(UncodedRowsError, match="infinite"):
        opened.predict(np.full((1, ROWS.shape[1]), np.inf))
