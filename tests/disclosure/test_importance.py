"""A summary lists the features in order, with the points behind them for those who may see them."""

from __future__ import annotations

import pytest

from explainer.disclosure.importance import disclose_importance
from explainer.errors import NotPermitted
from explainer.records import ExplainOptions, Explanation, Feature, MethodReport, Notice

FEATURES = tuple(Feature(name, "number") for name in ("a", "b", "c"))
ROWS = [[1.0, "x", None], [2.0, "y", True], [3.0, "z", False]]


def explanation(*attributions: float, exact: bool = True, warnings: tuple[Notice, ...] = ()) -> Explanation:
    method = MethodReport("tree" if exact else "permutation", 1, "why", exact, 5, None, "default:abc", 0.0)
    errors = (0.0 if exact else 0.1,) * len(attributions)
    total = 0.5 + sum(attributions)
    return Explanation(total, 0.5, "bad", "raw", attributions, errors, method, warnings=warnings)


FOUND = {0: explanation(0.1, -2.0, 0.0), 2: explanation(0.3, 1.0, 0.0, exact=False, warnings=(Notice("far", "x"),))}


def shown(role: str = "analyst", *, points: bool = False, top: int | None = None) -> dict:  # type: ignore[type-arg]
    return disclose_importance(FOUND, FEATURES, ROWS if points else None, role, ExplainOptions(top=top))


def test_features_come_in_order_of_importance() -> None:
    """Largest mean size first; what the rows have in common is said once, what they differ in is counted."""
    found = shown()
    assert [f["feature"] for f in found["features"]] == ["b", "a", "c"]
    assert [f["mean_absolute"] for f in found["features"]] == pytest.approx([1.5, 0.2, 0.0])
    assert [f["share_positive"] for f in found["features"]] == [0.5, 1.0, 0.0]
    assert (found["rows"], found["class"], found["exact"]) == ([0, 2], "bad", False)
    assert found["methods"] == {"tree": 1, "permutation": 1}
    assert found["warnings"] == {"far": 1}
    assert found["evaluations"] == 10
    assert found["mean_prediction"] == pytest.approx((FOUND[0].prediction + FOUND[2].prediction) / 2)
    assert "attributions" not in found["features"][0]


def test_points_are_the_rows_own_numbers() -> None:
    """Each feature carries its attributions with the values of the same rows."""
    first = shown(points=True)["features"][0]
    assert (first["attributions"], first["values"]) == ([-2.0, 1.0], ["x", "z"])


def test_who_does_not_see_rows_gets_points_without_values() -> None:
    """Attributions alone, and a word that the values were held back."""
    found = shown("administrator", points=True)
    assert all("values" not in f and len(f["attributions"]) == 2 for f in found["features"])
    assert [w["what"] for w in found["withheld"]] == ["values"]


def test_what_is_cut_is_said() -> None:
    """`top` shows the leading features, and says how many it left out."""
    found = shown(top=1)
    assert [f["feature"] for f in found["features"]] == ["b"]
    assert found["withheld"] == [{"what": "features", "detail": "2 features of less importance are not shown"}]


def test_an_unknown_role_sees_nothing() -> None:
    """No policy, no answer."""
    with pytest.raises(NotPermitted):
        shown("stranger")
