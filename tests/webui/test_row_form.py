"""A row as a form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.errors import InvalidRows, Problem
from explainer.records import Feature
from explainer.registry.rows import code_rows
from tests.registry.folders import FEATURES, ROW
from webui.row_form import fields, typed_row

ROWS = st.fixed_dictionaries(
    {
        "amount": st.floats(0, 1000, allow_nan=False),
        "months": st.none() | st.integers(1, 10**9),
        "purpose": st.sampled_from(["car", "house", "other"]),
        "phone": st.none() | st.booleans(),
    }
)


@given(ROWS)
def test_a_row_shown_and_sent_again_is_the_same_row(row: dict[str, Any]) -> None:
    """What the form shows, sent back unchanged, has the same bits."""
    form = {f"row-{field.feature.name}": field.text for field in fields(FEATURES, row)}
    again = typed_row(FEATURES, form)
    assert again == row
    assert code_rows(FEATURES, [again]).tobytes() == code_rows(FEATURES, [row]).tobytes()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", " 12.5 ", 12.5),
        ("number", "12", 12),
        ("number", "", None),
        ("number", "a lot", "a lot"),
        ("number", "1,5", "1,5"),
        ("number", "1_000", "1_000"),
        ("number", "nan", "nan"),
        ("number", "inf", "inf"),
        ("number", "-Infinity", "-Infinity"),
        ("number", "1e999", "1e999"),
        ("number", "٣", "٣"),
        ("integer", "7", 7),
        ("integer", "7.5", 7.5),
        ("integer", "9" * 5000, "9" * 5000),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("boolean", "yes", "yes"),
        ("category", "12", "12"),
        ("category", "  car ", "car"),
    ],
)
def test_typed_texts_become_json_values(kind: Any, text: str, value: Any) -> None:
    """A number is what JSON calls one; everything else stays text, for the schema to refuse by name."""
    feature = Feature("f", kind, categories=("car", "12") if kind == "category" else ())
    found = typed_row([feature], {"row-f": text})["f"]
    assert (found, type(found)) == (value, type(value))


def problem_places(row: dict[str, Any]) -> list[str]:
    try:
        code_rows(FEATURES, [row])
    except InvalidRows as error:
        return [p.where for p in error.problems]
    return []


@given(st.text(max_size=30))
def test_whatever_is_typed_is_coded_or_refused(text: str) -> None:
    """No text breaks the form: each is a valid value or InvalidRows that names the field."""
    for feature in FEATURES:
        row = {**ROW, **typed_row([feature], {f"row-{feature.name}": text})}
        assert problem_places(row) in ([], [f"instances[0].{feature.name}"])


def test_each_problem_stands_beside_its_field() -> None:
    """A problem is shown at the field that it names, also where names hold dots."""
    features = (Feature("a.b", "number"), Feature("b", "number"), Feature("c", "number"))
    problems = [Problem("instances[0].a.b", "type", "not a number"), Problem("instances[0].c", "max", "too large")]
    shown = fields(features, {"a.b": "x", "b": 1, "c": 9}, problems)
    assert [(f.text, f.problem) for f in shown] == [("x", "not a number"), ("1", None), ("9", "too large")]


def test_an_empty_form() -> None:
    """Without a row every input is empty and a field left out of what was sent is missing."""
    assert {f.text for f in fields(FEATURES, None)} == {""}
    assert typed_row(FEATURES, {}) == dict.fromkeys(f.name for f in FEATURES)
