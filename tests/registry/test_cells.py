"""Text cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.errors import InvalidRows
from explainer.registry.cells import code_table, fit_cells, fit_row, header_problems, read_cell
from explainer.registry.rows import MOST_PROBLEMS
from tests.registry.folders import FEATURES, ROW

AMOUNT, MONTHS, PURPOSE, PHONE = FEATURES


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("-12", -12), ("+3", 3), ("1.50", 1.5), (".5", 0.5), ("2.", 2.0), ("1e3", 1000.0)]
)
def test_numbers(text: str, value: float) -> None:
    """Numbers are read as they are commonly written, whole ones as integers."""
    assert read_cell(AMOUNT, text) == value
    assert type(read_cell(AMOUNT, text)) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_written_floats_come_back(value: float) -> None:
    """What Python writes for a float is read as the same float."""
    assert read_cell(AMOUNT, repr(value)) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,5", "write a point, not a comma"),
        ("1.000,5", "write a point, not a comma"),
        (" 1", "remove the blanks around it"),
        ("1 ", "remove the blanks around it"),
        ("NA", "leave the cell empty"),
        ("nan", "leave the cell empty"),
        ("inf", "is not a number"),
        ("0x10", "is not a number"),
        ("1_000", "is not a number"),
        ("12 DM", "no unit"),
        ("--1", "is not a number"),
        ("1e99999", "is not a number"),
        ("٣", "is not a number"),
        ("9" * 401, "is not a number"),
    ],
)
def test_bad_numbers(text: str, words: str) -> None:
    """A cell that only resembles a number is refused with advice, never guessed at."""
    with pytest.raises(ValueError, match="is not a number") as caught:
        read_cell(AMOUNT, text)
    assert words in str(caught.value)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("1", True), ("0", False), ("", None)])
def test_booleans(text: str, value: Any) -> None:
    """Booleans are true, false, 1 or 0; an empty cell is missing."""
    assert read_cell(PHONE, text) is value


def test_other_truths() -> None:
    """Yes and no are not guessed at."""
    with pytest.raises(ValueError, match="write true, false, 1 or 0"):
        read_cell(PHONE, "yes")


def test_a_row_of_cells() -> None:
    """Good cells become JSON values; each bad one is told at its place in the words of a table."""
    good, problems = fit_cells(FEATURES, {"amount": "12.5", "months": "24", "purpose": "house", "phone": "1"}, "line 2")
    assert (good, problems) == (ROW, [])
    _, problems = fit_cells(FEATURES, {"amount": "1,5", "months": "2.5", "purpose": "boat", "phone": ""}, "line 7")
    assert [(p.where, p.rule) for p in problems] == [
        ("line 7.amount", "type"),
        ("line 7.months", "whole"),
        ("line 7.purpose", "category"),
    ]
    assert "write a point" in problems[0].detail


def test_row_places() -> None:
    """The place of a JSON row's problem begins with what the caller says."""
    assert fit_row(FEATURES, ROW, "line 3") == []
    assert fit_row(FEATURES, {**ROW, "amount": None}, "line 3")[0].where == "line 3.amount"


def test_code_table() -> None:
    """Columns of text code like the rows of JSON values that they write out."""
    columns = {"phone": ["", "0"], "purpose": ["car", "other"], "months": ["3", ""], "amount": ["1", "2.5"]}
    np.testing.assert_array_equal(code_table(FEATURES, columns), [[1.0, 3.0, 0.0, np.nan], [2.5, np.nan, 2.0, 0.0]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": ["1"]}, "The columns differ in length: [1, 2]."),
        ({"amount": ["x", "1"]}, "instances[0].amount: 'x' is not a number"),
        ({"colour": ["1", "1"]}, "'colour' is not a feature"),
        ({"months": ["0.5", "1"]}, "takes whole numbers only"),
    ],
)
def test_bad_tables(change: dict[str, list[str]], words: str) -> None:
    """A table that does not fit is refused with the place."""
    columns = {"amount": ["1", "2"], "months": ["1", "2"], "purpose": ["car", "car"], "phone": ["1", "0"]}
    with pytest.raises(InvalidRows) as caught:
        code_table(FEATURES, columns | change)
    assert words in caught.value.detail


def test_problems_are_cut() -> None:
    """A column of nothing but faults gives a bounded list."""
    columns = {name: ["?"] * 500 for name in ROW}
    with pytest.raises(InvalidRows) as caught:
        code_table(FEATURES, columns)
    assert len(caught.value.problems) == MOST_PROBLEMS


def test_headers() -> None:
    """Columns that are twice there, unknown or missing are named; ignored ones are not."""
    header = ["amount", "amount", "month", "purpose", "id"]
    found = [(p.where, p.rule) for p in header_problems(FEATURES, header, ["id"])]
    assert found == [
        ("header.amount", "duplicate"),
        ("header.month", "unknown-feature"),
        ("header.months", "missing-feature"),
        ("header.phone", "missing-feature"),
    ]
    assert "Did you mean 'months'?" in header_problems(FEATURES, header, ["id"])[1].detail
