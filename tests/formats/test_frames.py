"""Coded rows become the raw values that a model was fitted on."""

from __future__ import annotations

import numpy as np

from explainer.formats.frames import frame_maker, raw_values
from explainer.records import Feature
from tests.formats import orders

ROWS = np.array([[1.5, 30.0, 2.0, 1.0, 0.25], [np.nan, 31.0, np.nan, 0.0, 4.0]])


def test_raw_values_are_labels_booleans_integers_numbers_and_none() -> None:
    """Each feature type has its own Python type; NaN is None."""
    found = raw_values(orders.FEATURES, ROWS)
    assert found == [[1.5, 30, "for free", True, 0.25], [None, 31, None, False, 4.0]]
    assert [type(v) for v in found[0]] == [float, int, str, bool, float]


def test_raw_values_of_no_rows_are_none() -> None:
    """No rows give no lists."""
    assert raw_values(orders.FEATURES, ROWS[:0]) == []


def test_a_frame_has_the_columns_asked_for_with_raw_values() -> None:
    """Columns come in the order asked for; labels are text, a missing one is NaN."""
    frame = frame_maker(orders.FEATURES, ["housing", "income"])(ROWS)
    assert list(frame.columns) == ["housing", "income"]
    assert frame["housing"][0] == "for free"
    assert np.isnan(frame["housing"][1])
    assert frame["income"][0] == 1.5


def test_a_missing_label_can_be_none() -> None:
    """Models fitted with None as the missing label get None."""
    assert frame_maker(orders.FEATURES, ["housing"], None)(ROWS)["housing"][1] is None


def test_the_type_of_a_column_depends_on_the_schema_alone() -> None:
    """An integer or boolean that may not be missing is int64 or bool, any other is not, in whatever rows."""
    nullable = (Feature("a", "integer", nullable=True), Feature("b", "boolean", nullable=True))
    strict = (Feature("a", "integer"), Feature("b", "boolean"))
    rows = np.array([[1.0, 1.0]])
    assert [str(t) for t in frame_maker(strict, ["a", "b"])(rows).dtypes] == ["int64", "bool"]
    assert [str(t) for t in frame_maker(nullable, ["a", "b"])(rows).dtypes] == ["float64", "object"]


def test_a_frame_of_no_rows_has_its_columns() -> None:
    """Empty input keeps names and number of columns."""
    assert frame_maker(orders.FEATURES, [f.name for f in orders.FEATURES])(ROWS[:0]).shape == (0, 5)
