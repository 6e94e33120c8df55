"""Coding of rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.errors import InvalidRows, Problem
from explainer.records import Feature
from explainer.registry.row_problems import LARGEST, WHOLE
from explainer.registry.rows import KEPT_CODERS, MOST_PROBLEMS, code_rows, uncode_rows
from tests.registry.folders import FEATURES, ROW


def values(feature: Feature) -> st.SearchStrategy[Any]:
    """Draw values that fit a feature."""
    low, high = feature.min, feature.max
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "number": st.floats(-LARGEST if low is None else low, LARGEST if high is None else high),
        "integer": st.integers(-WHOLE if low is None else int(low), WHOLE if high is None else int(high)),
        "boolean": st.booleans(),
        "category": st.sampled_from(feature.categories) if feature.categories else st.nothing(),
    }
    return kinds[feature.type] | st.none() if feature.nullable else kinds[feature.type]


rows = st.lists(st.fixed_dictionaries({f.name: values(f) for f in FEATURES}), min_size=1, max_size=5)


@given(rows)
def test_round_trip(instances: list[dict[str, Any]]) -> None:
    """Coding and uncoding gives every good row back, with integers as int and missing values as None."""
    back = uncode_rows(FEATURES, code_rows(FEATURES, instances))
    assert back == instances
    assert all(type(a["months"]) is type(b["months"]) for a, b in zip(back, instances, strict=True))


@given(rows)
def test_arrays_code_like_objects(instances: list[dict[str, Any]]) -> None:
    """An array in schema order gives the same bytes as the object by name, whatever the order of its keys."""
    by_name = code_rows(FEATURES, [dict(reversed(row.items())) for row in instances])
    by_place = code_rows(FEATURES, [[row[f.name] for f in FEATURES] for row in instances])
    assert by_name.tobytes() == by_place.tobytes()
    assert by_name.shape == (len(instances), len(FEATURES))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)
nearly = st.fixed_dictionaries({f.name: values(f) | anything for f in FEATURES})


@given(anything | st.lists(nearly | anything, max_size=4))
def test_anything_is_coded_or_refused(instances: Any) -> None:
    """Whatever JSON holds is either coded to finite numbers and NaN, or refused with at least one problem."""
    problems: tuple[Problem, ...] | None = None
    try:
        assert not np.isinf(code_rows(FEATURES, instances)).any()
    except InvalidRows as error:
        problems = error.problems
    assert problems is None or problems
    assert all(p.where.startswith("instances") and p.rule and p.detail for p in problems or ())


def test_coded_values() -> None:
    """A number is itself, a boolean 0 or 1, a category its position, a missing value NaN, a whole float an integer."""
    coded = code_rows(FEATURES, [{"amount": 7, "months": 3.0, "purpose": "other", "phone": False}])
    assert coded.tolist() == [[7.0, 3.0, 2.0, 0.0]]
    missing = code_rows(FEATURES, [{**ROW, "months": None, "phone": None}])[0]
    assert np.isnan(missing[[1, 3]]).all()
    assert coded.dtype == np.float64


def test_minus_zero_is_zero() -> None:
    """-0.0 and 0.0 have the same bytes once coded, so they are one row to digests and caches."""
    assert (
        code_rows(FEATURES, [{**ROW, "amount": -0.0}]).tobytes()
        == code_rows(FEATURES, [{**ROW, "amount": 0}]).tobytes()
    )


def change(**cells: Any) -> list[dict[str, Any]]:
    return [{**ROW, **cells}]


def without(name: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in ROW.items() if k != name}]


BAD: list[tuple[Any, str, str, str]] = [
    (None, "instances", "type", "A list of rows is needed, not NoneType."),
    (ROW, "instances", "type", "Put the row into a list: [{...}]."),
    ("rows", "instances", "type", "A list of rows is needed, not str."),
    (7, "instances", "type", "A list of rows is needed, not int."),
    ([], "instances", "empty", "send at least one row"),
    ([None], "instances[0]", "type", "not null."),
    ([3], "instances[0]", "type", "not a number."),
    (["x"], "instances[0]", "type", "not text."),
    ([True], "instances[0]", "type", "not true or false."),
    ([[]], "instances[0]", "length", "has 0 values; the schema has 4 features"),
    ([[12.5, 24, "house"]], "instances[0]", "length", "'amount', 'months', 'purpose', 'phone'"),
    ([[12.5, 24, "house", True, 1]], "instances[0]", "length", "has 5 values"),
    ([[24, 12.5, "house", True]], "instances[0].months", "whole", "takes whole numbers only"),
    ([ROW, list(ROW.values())], "instances[1]", "mixed-forms", "all objects or all arrays"),
    ([list(ROW.values()), ROW], "instances[1]", "mixed-forms", "differs from the first"),
    ([ROW, 5], "instances[1]", "type", "not a number"),
    ([{}], "instances[0].amount", "missing-feature", "amount is missing; send a number."),
    (without("months"), "instances[0].months", "missing-feature", "send a whole number or null."),
    (without("purpose"), "instances[0].purpose", "missing-feature", "send one of 'car', 'house', 'other'."),
    ([{**ROW, "colour": 1}], "instances[0].colour", "unknown-feature", "'colour' is not a feature of this model"),
    ([{**without("months")[0], "month": 3}], "instances[0].month", "unknown-feature", "Did you mean 'months'?"),
    ([{**ROW, "Amount": 3}], "instances[0].Amount", "unknown-feature", "Did you mean 'amount'?"),
    (change(amount=None), "instances[0].amount", "null", "null is not allowed for amount; send a number."),
    (change(purpose=None), "instances[0].purpose", "null", "send one of 'car', 'house', 'other'."),
    (change(amount=True), "instances[0].amount", "type", "true is true or false; send a number."),
    (change(months=False), "instances[0].months", "type", "false is true or false; send a whole number."),
    (change(amount="12.5"), "instances[0].amount", "type", "is a number in quotes; send it without them."),
    (change(months="24"), "instances[0].months", "type", "'24' is a number in quotes"),
    (change(amount="much"), "instances[0].amount", "type", "'much' is text; send a number."),
    (change(months=2.5), "instances[0].months", "whole", "2.5 has a fraction"),
    (change(months=2**53 + 1), "instances[0].months", "too-large", "beyond 2^53 and would be rounded"),
    (change(amount=-(2**63)), "instances[0].amount", "too-large", "beyond 2^53"),
    (change(months=10**400), "instances[0].months", "too-large", "A huge number is beyond 2^53"),
    (change(months=1e300), "instances[0].months", "too-large", "beyond 2^53"),
    (change(amount=1e308), "instances[0].amount", "too-large", "the largest number that models can take"),
    (change(amount=math.nan), "instances[0].amount", "not-finite", "nan is not a finite number"),
    (change(amount=math.inf), "instances[0].amount", "not-finite", "inf is not a finite number"),
    (change(months=-math.inf), "instances[0].months", "not-finite", "send a whole number"),
    (change(amount=-1), "instances[0].amount", "min", "-1 is below the smallest allowed value 0 of amount."),
    (change(amount=1000.5), "instances[0].amount", "max", "above the largest allowed value 1000 of amount."),
    (change(months=0), "instances[0].months", "min", "below the smallest allowed value 1"),
    (change(purpose="hause"), "instances[0].purpose", "category", "send one of 'house'"),
    (
        change(purpose="CAR"),
        "instances[0].purpose",
        "category",
        "'CAR' is not a category of purpose",
    ),
    (change(purpose=1), "instances[0].purpose", "type", "1 is a number; send one of"),
    (change(purpose=True), "instances[0].purpose", "type", "true is true or false; send one of"),
    (change(purpose="x" * 500), "instances[0].purpose", "category", "'..."),
    (change(phone=1), "instances[0].phone", "type", "1 is a number; send true or false."),
    (change(phone="true"), "instances[0].phone", "type", "send true or false without quotes"),
    (change(amount={"v": 1}), "instances[0].amount", "nested", "A value is needed, not an object; send a number."),
    (change(purpose=["car"]), "instances[0].purpose", "nested", "not an array"),
]


@pytest.mark.parametrize(("instances", "where", "rule", "words"), BAD)
def test_bad_rows(instances: Any, where: str, rule: str, words: str) -> None:
    """Each bad row is refused with its place, its rule, and a sentence that says what to do."""
    with pytest.raises(InvalidRows) as caught:
        code_rows(FEATURES, instances)
    problem = caught.value.problems[0]
    assert (problem.where, problem.rule) == (where, rule)
    assert words in problem.detail
    assert where in caught.value.detail
    assert len(problem.detail) < 400


def test_every_problem_is_listed() -> None:
    """Problems of several rows and features come together, and the sentence counts them."""
    with pytest.raises(InvalidRows) as caught:
        code_rows(FEATURES, [{**ROW, "amount": "x", "purpose": "y"}, ROW, {**ROW, "months": 0.5}])
    assert [p.where for p in caught.value.problems] == [
        "instances[0].amount",
        "instances[0].purpose",
        "instances[2].months",
    ]
    assert caught.value.detail.startswith("3 problems in 3 rows. First: instances[0].amount:")


def test_problems_are_cut() -> None:
    """A thousand bad rows give a list of bounded length that says it was cut."""
    with pytest.raises(InvalidRows) as caught:
        code_rows(FEATURES, change(amount="x") * 1000)
    assert len(caught.value.problems) == MOST_PROBLEMS
    assert f"the first {MOST_PROBLEMS} are listed" in caught.value.detail


def test_coders_do_not_mix() -> None:
    """Schemas that come and go never see each other's rules, even where memory is used again."""
    for i in range(3 * KEPT_CODERS):
        features = (Feature(f"f{i}", "category", categories=(f"a{i}", f"b{i}")),)
        assert code_rows(features, [{f"f{i}": f"b{i}"}]).tolist() == [[1.0]]


def test_uncode_types() -> None:
    """Uncoded values have JSON's types: bool, str, int, float, None."""
    coded = np.array([[1.0, np.nan, 0.0, 1.0], [2.0, 5.0, 2.0, np.nan]])
    first, second = uncode_rows(FEATURES, coded)
    assert first == {"amount": 1.0, "months": None, "purpose": "car", "phone": True}
    assert first["phone"] is True
    assert second == {"amount": 2.0, "months": 5, "purpose": "other", "phone": None}
