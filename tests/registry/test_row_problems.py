"""Words for rows that do not fit."""

from __future__ import annotations

import numpy as np

from explainer.records import Feature
from explainer.registry.row_problems import MOST_NAMES, cell_problem, has_form, shape_problems
from tests.registry.folders import FEATURES, ROW


def test_forms() -> None:
    """Only a plain object or a plain array is a row."""
    assert has_form({}, True)
    assert has_form([], False)
    assert not has_form([], True)
    assert not has_form((), False)


def test_a_flood_of_wrong_names_is_cut() -> None:
    """A row with thousands of unknown names yields a bounded number of problems."""
    problems = shape_problems(FEATURES, 0, {**ROW, **{f"x{i}": 0 for i in range(5000)}}, True)
    assert len(problems) == MOST_NAMES
    assert {p.rule for p in problems} == {"unknown-feature"}


def test_many_categories_are_cut() -> None:
    """A feature of thousands of categories does not print them all."""
    feature = Feature("city", "category", categories=tuple(f"city {i}" for i in range(9000)))
    rule, detail = cell_problem(feature, "nowhere")
    assert rule == "category"
    assert "and 8988 more" in detail
    assert len(detail) < 300


def test_strange_types_are_named() -> None:
    """A value of a type that JSON does not know is refused by its type's name."""
    assert "float32" in cell_problem(FEATURES[0], np.float32(1.5))[1]
    assert "bytes" in cell_problem(FEATURES[1], b"1")[1]
