"""Reading of a schema."""

from __future__ import annotations

from typing import Any

from explainer.errors import Problem
from explainer.records import Feature, Reason
from explainer.registry.features import MOST_FEATURES, read_features
from explainer.registry.section import Section


def read(tables: Any) -> tuple[tuple[Feature, ...], list[Problem]]:
    problems: list[Problem] = []
    return read_features(Section({"features": tables}, "", problems), problems), problems


def test_every_key() -> None:
    """A feature with every key set becomes the record with every field set."""
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
            }
        ]
    )
    assert problems == []
    expected = Feature(
        "age", "integer", (), 18.0, 99.0, True, "in years", True, False, Reason("older", "younger"), "person"
    )
    assert found == (expected,)


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
