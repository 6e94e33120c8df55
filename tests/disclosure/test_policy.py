"""Proves that what is shown still adds up, that what is held back is said, and that it is really not there."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.access.roles import ROLES
from explainer.disclosure.policy import POLICIES, disclose, leading
from explainer.errors import InvalidOption, NotPermitted
from explainer.records import Explanation, Feature, LimeReport, MethodReport, Notice

numbers = st.floats(-1e6, 1e6)
errors = st.none() | st.floats(0, 1e3)


@st.composite
def explanations(draw: st.DrawFn) -> Explanation:
    parts = draw(st.lists(st.tuples(numbers, errors), min_size=1, max_size=12))
    expected = draw(numbers)
    return Explanation(
        prediction=math.fsum([expected, *(a for a, _ in parts)]),
        expected_value=expected,
        class_name="bad",
        output="probability",
        attributions=tuple(a for a, _ in parts),
        standard_errors=tuple(e for _, e in parts),
        method=MethodReport("tree", 1, "trees", True, 100, 7, "default", 0.0),
        warnings=(Notice("far", "age_years 19 is rare"),),
        lime=LimeReport(0.1, 0.9, 5000, 2.5, tuple((f"secret-{i} <= 3", a) for i, (a, _) in enumerate(parts))),
    )


def features_of(explanation: Explanation) -> tuple[Feature, ...]:
    return tuple(Feature(f"f{i}", "number") for i in range(len(explanation.attributions)))


def values_of(explanation: Explanation) -> list[str]:
    return [f"secret-{i}" for i in range(len(explanation.attributions))]


def shown(explanation: Explanation, role: str = "analyst", top: int | None = None) -> dict:
    return disclose(explanation, features_of(explanation), values_of(explanation), role, top)


@given(explanations(), st.none() | st.integers(1, 15))
def test_the_sum_still_holds(explanation: Explanation, top: int | None) -> None:
    """Expected value, shown attributions and the rest add up to the prediction, however few are shown."""
    answer = shown(explanation, top=top)
    rest = [answer["other"]["attribution"]] if "other" in answer else []
    total = math.fsum([answer["expected_value"], *(a["attribution"] for a in answer["attributions"]), *rest])
    scale = 1 + math.fsum(map(abs, explanation.attributions))
    assert abs(total - answer["prediction"]) <= 1e-12 * scale


@given(explanations(), st.integers(1, 15))
def test_the_leading_ones_are_shown_in_schema_order(explanation: Explanation, top: int) -> None:
    """No hidden attribution is larger than a shown one; the count is what was asked; the order is the schema's."""
    answer = shown(explanation, top=top)
    names = [a["feature"] for a in answer["attributions"]]
    positions = [int(name[1:]) for name in names]
    hidden = [abs(a) for i, a in enumerate(explanation.attributions) if i not in positions]
    assert len(names) == min(top, len(explanation.attributions))
    assert positions == sorted(positions)
    assert all(h <= abs(explanation.attributions[i]) for h in hidden for i in positions)
    assert ("other" in answer) is (len(hidden) > 0)
    assert any(w["what"] == "attributions" for w in answer["withheld"]) is (len(hidden) > 0)


@given(explanations(), st.integers(1, 15))
def test_the_error_of_the_rest_bounds_its_sum(explanation: Explanation, top: int) -> None:
    """It is the sum of the single errors (the deviation of a sum is never larger), and unknown if one is unknown."""
    answer = shown(explanation, top=top)
    if "other" not in answer:
        return
    kept = {int(a["feature"][1:]) for a in answer["attributions"]}
    hidden = [e for i, e in enumerate(explanation.standard_errors) if i not in kept]
    if None in hidden:
        assert answer["other"]["standard_error"] is None
    else:
        assert answer["other"]["standard_error"] == pytest.approx(sum(e for e in hidden if e is not None))
    assert answer["other"]["features"] == len(hidden)


@given(explanations(), st.none() | st.integers(1, 15))
def test_an_administrator_finds_no_value_anywhere(explanation: Explanation, top: int | None) -> None:
    """Neither values, nor rules that name them, nor sentences that may: and each omission is said."""
    answer = shown(explanation, "administrator", top)
    text = json.dumps(answer)
    assert "secret" not in text
    assert "age_years" not in text
    assert {"values", "lime.rules", "warnings.detail"} <= {w["what"] for w in answer["withheld"]}
    assert all("value" not in a for a in answer["attributions"])
    assert [w["code"] for w in answer["warnings"]] == ["far"]


@given(explanations())
def test_other_roles_see_everything(explanation: Explanation) -> None:
    """With nothing asked for, nothing is withheld."""
    for role in ("analyst", "reviewer", "auditor", "owner", "local"):
        answer = shown(explanation, role)
        assert answer["withheld"] == []
        assert [a["value"] for a in answer["attributions"]] == values_of(explanation)
        assert [a["attribution"] for a in answer["attributions"]] == list(explanation.attributions)
        assert [a["standard_error"] for a in answer["attributions"]] == list(explanation.standard_errors)
        assert [(r["rule"], r["weight"]) for r in answer["lime"]["rules"]] == list(explanation.lime.rules)  # type: ignore[union-attr]


def test_every_role_has_a_policy_and_no_policy_lacks_a_role() -> None:
    """The two tables know the same roles; they live in rooms that do not know each other."""
    assert set(POLICIES) == set(ROLES)


@pytest.mark.parametrize("role", ["", "none", "Analyst", "root"])
def test_an_unknown_role_sees_nothing(role: str) -> None:
    """What no policy names is refused."""
    with pytest.raises(NotPermitted):
        shown(one(0.5), role)


@pytest.mark.parametrize("top", [0, -1])
def test_a_top_below_one_is_refused(top: int) -> None:
    """Asking for none of the reasons is a mistake, not a way around."""
    with pytest.raises(InvalidOption, match="top"):
        shown(one(0.5), top=top)


def one(*attributions: float) -> Explanation:
    method = MethodReport("tree", 1, "trees", True, 100, None, "default", 0.0)
    return Explanation(1.0, 0.5, None, "raw", attributions, (0.0,) * len(attributions), method)


def test_the_answer_has_the_promised_names() -> None:
    """The fields are those that the outside is promised, in plain JSON types."""
    answer = json.loads(json.dumps(shown(one(0.25, 0.25))))
    assert set(answer) == {
        "prediction",
        "expected_value",
        "class",
        "output",
        "attributions",
        "method",
        "confidence",
        "warnings",
        "withheld",
    }
    assert set(answer["attributions"][0]) == {"feature", "value", "attribution", "standard_error"}
    assert {"name", "reason", "exact", "evaluations", "seed", "background", "additivity_gap", "stopped"} <= set(
        answer["method"]
    )


def test_ties_go_by_schema_order() -> None:
    """Equal attributions are ranked the same way every time, whatever their signs."""
    assert leading([1.0, -2.0, 2.0, -1.0, 0.0], 3) == [1, 2, 0]
