"""Reading of a schema."""

from __future__ import annotations

from typing import Any

import pytest

from explainer.errors import Problem
from explainer.records import Feature, Reason
from explainer.registry.features import MOST_FEATURES, read_features
from explainer.registry.section import Section


def read(tables: Any) -> tuple[tuple[Feature, ...], list[Problem]]:
    problems: list[Problem] = []
    return read_features(Section({"features": tables}, "", problems), problems), problems


def test_every_key() -> None:
    """Features with every key set become records with every field set."""
    found, problems = read(
        [
            {
                "name": "age",
                "type": "integer",
                "min": 18,
                "max": 99,
                "nullable": True,
                "description": "in years",
                "protected": True,
                "mutable": False,
                "reason": {"increases": "older", "decreases": "younger"},
                "group": "person",
            },
            {"name": "income", "type": "integer", "step": 500, "changes": "up"},
        ]
    )
    assert problems == []
    expected = Feature(
        "age", "integer", (), 18.0, 99.0, True, "in years", True, False, Reason("older", "younger"), "person"
    )
    assert found == (expected, Feature("income", "integer", step=500.0, changes="up"))


def test_order_is_kept() -> None:
    """The order of the manifest is the order of the columns."""
    found, _ = read([{"name": n, "type": "number"} for n in "zab"])
    assert [f.name for f in found] == ["z", "a", "b"]


def test_too_many() -> None:
    """A schema beyond the bound is refused as a whole, not feature by feature."""
    found, problems = read([{}] * (MOST_FEATURES + 1))
    assert found == ()
    assert [p.rule for p in problems] == ["too-many"]


def test_same_name_thrice() -> None:
    """Every repetition of a name is a problem of its own."""
    _, problems = read([{"name": "a", "type": "number"}] * 3)
    assert [p.where for p in problems] == ["features[1].name", "features[2].name"]


@pytest.mark.parametrize(
    ("keys", "where", "rule"),
    [
        ({"type": "number", "step": 0}, "step", "range"),
        ({"type": "number", "step": -1.5}, "step", "range"),
        ({"type": "number", "step": "5"}, "step", "type"),
        ({"type": "integer", "step": 0.5}, "step", "range"),
        ({"type": "boolean", "step": 1}, "step", "not-allowed"),
        ({"type": "category", "categories": ["a"], "step": 1}, "step", "not-allowed"),
        ({"type": "number", "changes": "sideways"}, "changes", "choice"),
        ({"type": "number", "changes": True}, "changes", "type"),
        ({"type": "number", "mutable": False, "step": 1}, "step", "not-allowed"),
        ({"type": "number", "mutable": False, "changes": "any"}, "changes", "not-allowed"),
    ],
)
def test_changes_that_cannot_be(keys: dict[str, Any], where: str, rule: str) -> None:
    """A step or a direction that does not fit the type, or a value that never changes, is one problem at its place."""
    _, problems = read([{"name": "a", **keys}])
    assert [(p.where, p.rule) for p in problems] == [(f"features[0].{where}", rule)]
