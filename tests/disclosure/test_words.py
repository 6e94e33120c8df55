"""Proves that reasons are the leading attributions in the owner's words, none left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from explainer.disclosure.words import reason_lines
from explainer.records import Explanation, Feature, MethodReport, Reason

METHOD = MethodReport("tree", 1, "trees", True, 100, None, "default", 0.0)


def explained(*attributions: float) -> Explanation:
    return Explanation(1.0, 0.5, None, "raw", tuple(attributions), (0.0,) * len(attributions), METHOD)


FEATURES = (
    Feature("age", "number", protected=True, reason=Reason("older", "younger")),
    Feature("amount", "number", reason=Reason("a large loan", "a small loan")),
    Feature("purpose", "category", categories=("car",)),
)


def test_the_sign_picks_the_words() -> None:
    """What pushed the output up has the words for 'increases', what pushed it down those for 'decreases'."""
    lines = reason_lines(explained(-0.3, 0.2, 0.1), FEATURES)
    assert [(line.feature, line.direction, line.text) for line in lines] == [
        ("age", "decreases", "younger"),
        ("amount", "increases", "a large loan"),
        ("purpose", "increases", None),
    ]


def test_a_protected_feature_is_marked_and_never_left_out() -> None:
    """It stands in its place among the reasons, marked."""
    lines = reason_lines(explained(0.3, 0.2, 0.1), FEATURES, count=1)
    assert [(line.feature, line.protected) for line in lines] == [("age", True)]


def test_no_push_is_no_reason() -> None:
    """Features with attribution 0 are not named, whichever zero it is."""
    assert reason_lines(explained(0.0, -0.0, 0.0), FEATURES) == []


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.integers(0, 5))
def test_reasons_are_ordered_and_counted(attributions: list[float], count: int) -> None:
    """At most `count`, the largest first, and nothing larger is missing."""
    lines = reason_lines(explained(*attributions), FEATURES, count)
    sizes = [abs(line.attribution) for line in lines]
    assert sizes == sorted(map(abs, filter(None, attributions)), reverse=True)[:count]
    assert all((line.attribution > 0) is (line.direction == "increases") for line in lines)
