"""Reading of one table."""

from __future__ import annotations

from typing import Any

from explainer.errors import Problem
from explainer.registry.section import Section


def section(table: dict[str, Any]) -> tuple[Section, list[Problem]]:
    problems: list[Problem] = []
    return Section(table, "t", problems), problems


def test_good_values_pass() -> None:
    """Every getter gives the value of its type, or the default of an absent key, without a problem."""
    read, problems = section({"a": "x", "b": 2, "c": True, "d": ["p"], "e": {"f": 1}, "g": [{}]})
    assert (read.text("a"), read.number("b"), read.flag("c", False)) == ("x", 2.0, True)
    assert (read.names("d", most=3), read.tables("g")) == (("p",), [{}])
    assert read.table("e").count("f") == 1
    assert (read.text("z", "-"), read.number("y", None), read.flag("w", True), read.names("v", most=1)) == (
        "-",
        None,
        True,
        (),
    )
    read.close()
    assert problems == []


def test_unread_keys_are_unknown() -> None:
    """A key that nobody asked for is named with the nearest key that was."""
    read, problems = section({"thresh": 1})
    read.number("threshold", None)
    read.close()
    assert [(p.where, p.rule) for p in problems] == [("t.thresh", "unknown-key")]
    assert "Did you mean 'threshold'?" in problems[0].detail


def test_a_missing_table_is_one_problem() -> None:
    """The keys of a table that is not there are not listed one by one."""
    read, problems = section({})
    inner = read.table("inner")
    inner.text("a")
    inner.count("b")
    assert [p.where for p in problems] == ["t.inner"]


def test_long_texts_and_lists() -> None:
    """Texts and lists beyond their bounds are refused with the bound."""
    read, problems = section({"a": "x" * 11, "b": ["p", "q"], "c": ["x" * 300]})
    read.text("a", most=10)
    read.names("b", most=1)
    read.names("c", most=1)
    assert [p.rule for p in problems] == ["too-long", "too-many", "empty"]
    assert "at most 10" in problems[0].detail
