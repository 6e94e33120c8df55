"""Proves principal reasons against what is worked out by hand: order, reference, ties, groups, classes, error bars."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.disclosure.reason_codes import Factor, PrincipalReasons, principal_reasons
from explainer.errors import InvalidOption
from explainer.records import (
    AdverseWhen,
    DecisionSpec,
    Explanation,
    Feature,
    LimeReport,
    Manifest,
    MethodReport,
    OutputSpace,
    Reason,
)
from tests.registry.folders import manifest

EXACT = MethodReport("exact", 1, "few features", True, 100, None, "default:0123456789ab", 0.0)
SAMPLED = replace(EXACT, name="permutation", exact=False, seed=7)
Z95 = 1.959963984540054
pushes = st.lists(st.integers(-1000, 1000).map(lambda n: n / 8), min_size=1, max_size=9)
sides = st.sampled_from(["at_or_above", "below"])


def features(count: int, **changes: Any) -> tuple[Feature, ...]:
    names = [f"f{i}" for i in range(count)]
    return tuple(Feature(n, "number", reason=Reason(f"{n} too high", f"{n} too low"), **changes) for n in names)


def model(columns: tuple[Feature, ...], when: AdverseWhen = "at_or_above", **changes: Any) -> Manifest:
    decision = DecisionSpec(0.5, "granted", "declined", adverse_when=when)
    return replace(manifest(), features=columns, **{"decision": decision, **changes})


def explained(attributions: list[float], errors: list[float | None] | None = None, **changes: Any) -> Explanation:
    method = EXACT if errors is None else SAMPLED
    told = Explanation(
        0.7, 0.3, "bad", "probability", tuple(attributions), tuple(errors or [0.0] * len(attributions)), method
    )
    return replace(told, **changes)


def codes(found: PrincipalReasons) -> list[str]:
    return [reason.code for reason in found.reasons]


def blocks(found: PrincipalReasons) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.factor) for finding in found.blocked]


@given(pushes, sides, st.integers(1, 10))
def test_the_largest_pushes_toward_the_adverse_outcome(values: list[float], when: AdverseWhen, most: int) -> None:
    """They are those of the adverse sign, largest first, ties in schema order, at most so many; none is missing."""
    spec = DecisionSpec(0.5, "granted", "declined", adverse_when=when, reasons=most)
    found = principal_reasons(explained(values), model(features(len(values)), decision=spec), True)
    sign = 1 if when == "at_or_above" else -1
    truth = sorted((i for i, v in enumerate(values) if sign * v > 0), key=lambda i: (-sign * values[i], i))
    assert codes(found) == [f"f{i}" for i in truth[:most]]
    assert [f.code for f in found.left_out] == [f"f{i}" for i in truth[most:]]
    assert [r.attribution for r in found.reasons] == [sign * values[i] for i in truth[:most]]
    word = "increases" if sign > 0 else "decreases"
    assert all(r.direction == word and r.text == f"{r.code} too {'high' if sign > 0 else 'low'}" for r in found.reasons)


@given(pushes, sides)
def test_the_other_class_says_the_same(values: list[float], when: AdverseWhen) -> None:
    """Of two classes the other one's explanation, whose attributions have the other sign, gives the same reasons."""
    whole = model(features(len(values)), when)
    other = explained([-v for v in values], class_name="good")
    assert principal_reasons(other, whole, True) == principal_reasons(explained(values), whole, True)


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    sides,
)
def test_what_equals_the_reference_is_never_a_reason(
    columns: list[tuple[int, int, int]], equal: list[bool], when: AdverseWhen
) -> None:
    """In an additive model whose exact Shapley values are w (x - reference), x = reference gives no reason."""
    rows = [(w, r if same else x, r) for (w, x, r), same in zip(columns, equal, strict=False)]
    found = principal_reasons(
        explained([float(w * (x - r)) for w, x, r in rows]), model(features(len(rows)), when), True
    )
    for reason in (*found.reasons, *found.left_out):
        weight, x, reference = rows[int(reason.code[1:])]
        assert x != reference
        assert (weight * (x - reference) > 0) is (when == "at_or_above")


@given(pushes, st.sampled_from([1e-12, 1e-3, 2.0, 1e9]), st.lists(st.floats(0, 20), min_size=9, max_size=9))
def test_the_unit_does_not_matter(values: list[float], unit: float, errors: list[float]) -> None:
    """Attributions and errors in another unit of the output give the same reasons, order and doubts."""
    whole, some = model(features(len(values))), errors[: len(values)]
    plain = principal_reasons(explained(values, list(some)), whole, True)
    scaled = principal_reasons(explained([unit * v for v in values], [unit * e for e in some]), whole, True)
    assert codes(scaled) == codes(plain)
    assert [r.attribution for r in scaled.reasons] == pytest.approx([unit * r.attribution for r in plain.reasons])


@given(st.data(), st.lists(st.integers(-1000, 1000), min_size=2, max_size=8, unique=True))
def test_the_order_of_the_schema_does_not_matter(data: st.DataObject, values: list[int]) -> None:
    """Without ties every order of the features gives the same reasons, of groups as well."""
    columns = [replace(f, group=data.draw(st.sampled_from([None, "one", "two"]))) for f in features(len(values))]
    order = data.draw(st.permutations(range(len(values))))
    first = principal_reasons(explained([float(v) for v in values]), model(tuple(columns)), True)
    second = principal_reasons(
        explained([float(values[i]) for i in order]), model(tuple(columns[i] for i in order)), True
    )
    sums = [f.attribution for f in (*first.reasons, *first.left_out)]
    if len(set(sums)) == len(sums):
        assert codes(second) == codes(first)
    assert {(f.code, frozenset(f.members), f.attribution, f.text) for f in (*second.reasons, *second.left_out)} == {
        (f.code, frozenset(f.members), f.attribution, f.text) for f in (*first.reasons, *first.left_out)
    }


@given(pushes, st.data())
def test_groups_are_sums(values: list[float], data: st.DataObject) -> None:
    """A group's push is the sum over its members, its error the sum of theirs; its words are its leading member's."""
    groups = [data.draw(st.sampled_from([None, "g", "h"])) for _ in values]
    columns = tuple(replace(f, group=g) for f, g in zip(features(len(values)), groups, strict=True))
    errors = [abs(v) / 100 for v in values]
    found = principal_reasons(explained(values, list(errors)), model(columns), True)
    for factor in (*found.reasons, *found.left_out):
        places = [int(name[1:]) for name in factor.members]
        assert factor.attribution == pytest.approx(sum(values[i] for i in places))
        assert factor.standard_error == pytest.approx(sum(errors[i] for i in places))
        assert factor.half_width == pytest.approx(Z95 * sum(errors[i] for i in places))
        assert factor.text == f"f{max(places, key=lambda i: (values[i], -i))} too high"
    sums = {g: sum(v for v, of in zip(values, groups, strict=True) if of == g) for g in {*groups} - {None}}
    told = {f.code for f in (*found.reasons, *found.left_out)}
    assert {g for g in sums if g in told} == {g for g, total in sums.items() if total > 0}


def test_members_that_cancel_are_no_reason() -> None:
    """A large push toward it and one against it in the same group are weighed together."""
    columns = tuple(replace(f, group="job") for f in features(2))
    assert blocks(principal_reasons(explained([0.5, -0.6]), model(columns), True)) == [("no-adverse-reason", None)]


def test_a_group_without_words_has_its_name() -> None:
    """Where the leading member has no text the group's name stands there, and it blocks as unmapped."""
    a, b = features(2, group="job")
    found = principal_reasons(explained([0.5, 0.2]), model((replace(a, reason=None), b)), True)
    assert [(r.text, r.mapped, r.members) for r in found.reasons] == [("job", False, ("f0", "f1"))]
    assert blocks(found) == [("unmapped-factor", "job")]


@given(pushes.filter(lambda v: any(x > 0 for x in v)), st.sets(st.integers(0, 8)), st.sets(st.integers(0, 8)))
def test_protected_and_unmapped_reasons_block(values: list[float], guarded: set[int], silent: set[int]) -> None:
    """Each of them among the reasons is a finding that names it, it stays in its place, and others are no finding."""
    columns = tuple(
        replace(f, protected=i in guarded, reason=None if i in silent else f.reason)
        for i, f in enumerate(features(len(values)))
    )
    found = principal_reasons(explained(values), model(columns), True)
    plain = principal_reasons(explained(values), model(features(len(values))), True)
    assert codes(found) == codes(plain)
    expected = {("protected-factor", c) for c in codes(found) if int(c[1:]) in guarded}
    expected |= {("unmapped-factor", c) for c in codes(found) if int(c[1:]) in silent}
    assert set(blocks(found)) == expected
    assert all(r.protected is (int(r.code[1:]) in guarded) for r in found.reasons)


def test_a_group_with_a_protected_member_is_protected() -> None:
    """It is so even when that member pushes the other way."""
    a, b = features(2, group="home")
    found = principal_reasons(explained([0.5, -0.1]), model((a, replace(b, protected=True))), True)
    assert blocks(found) == [("protected-factor", "home")]


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0, 3)), min_size=2, max_size=8))
def test_a_certain_order_is_certain_for_every_pair(factors: list[tuple[float, float]]) -> None:
    """Where the order is called certain each reason is told apart from all that come after it, left out or not."""
    values, errors = [v for v, _ in factors], [e for _, e in factors]
    found = principal_reasons(explained(values, list(errors)), model(features(len(values))), True)
    assert found.order_certain is (not found.unsure)
    if found.order_certain:
        reasons = [int(c[1:]) for c in codes(found)]
        rest = [i for i in range(len(values)) if i not in reasons]
        for i, j in [*combinations(reasons, 2), *[(i, j) for i in reasons for j in rest]]:
            assert values[i] - values[j] > Z95 * math.hypot(errors[i], errors[j]) * (1 - 1e-9)


@pytest.mark.parametrize(
    ("values", "errors", "unsure"),
    [
        ([4.0, 3.0, 2.0, 1.0], None, []),
        ([3.0, 3.0, 2.0, 1.0], None, [("f0", "f1", False)]),
        ([0.1 + 0.2, 0.3], None, [("f0", "f1", False)]),  # the same but for rounding
        ([4.0, 3.0], [0.36, 0.36], []),  # 1.96 * 0.509 = 0.998
        ([4.0, 3.0], [0.37, 0.37], [("f0", "f1", False)]),  # 1.026
        ([4.0, 3.0], [0.0, None], [("f0", "f1", False)]),
        ([5.0, 4.0, 3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.6], [("f3", "f4", True)]),
        ([5.0, 4.0, 3.0, 2.0, 1.0, 0.5], [0.0] * 5 + [1.0], [("f3", "f5", True)]),  # not only the first left out
        ([1.0, -0.1], [0.0, 1.0], [("f0", "f1", True)]),
    ],
)
def test_which_neighbours_are_not_told_apart(
    values: list[float], errors: list[float | None] | None, unsure: list[tuple[str, str, bool]]
) -> None:
    """Pairs within z times the error of their difference are named, that with what was left out included."""
    found = principal_reasons(explained(values, errors), model(features(len(values))), True)
    assert [(u.first, u.second, u.left_out) for u in found.unsure] == unsure
    assert found.order_certain is (not unsure)


def test_a_protected_factor_that_may_be_a_reason_is_told() -> None:
    """Left out by less than the error bars it is a doubt, and a reason whose push may be none is another."""
    columns = features(6)
    whole = model((*columns[:4], replace(columns[4], protected=True), columns[5]))
    found = principal_reasons(explained([5.0, 4.0, 3.0, 2.0, 1.9, -1.0], [0.1] * 3 + [2.0, 0.1, 0.1]), whole, True)
    assert [(d.code, d.factor) for d in found.doubts] == [
        ("push-not-certain", "f3"),
        ("protected-factor-possible", "f4"),
    ]
    assert found.blocked == ()


def test_rounding_is_no_reason() -> None:
    """What is left of a sum that should be zero pushes nobody; alone in its size it is a push like any other."""
    assert codes(principal_reasons(explained([1.0, 1e-16]), model(features(2)), True)) == ["f0"]
    assert codes(principal_reasons(explained([1e-16, -1e-16]), model(features(2)), True)) == ["f0"]


def test_a_favourable_outcome_has_no_reasons() -> None:
    """Whatever pushed toward the other outcome, there is nothing to give reasons for."""
    found = principal_reasons(explained([1.0, 2.0]), model(features(2)), False)
    assert (found.reasons, blocks(found)) == ((), [("not-adverse", None)])


@pytest.mark.parametrize("output", ["probability", "log_odds"])
def test_several_classes_have_one_that_decides(output: OutputSpace) -> None:
    """With three classes the explanation of the positive one gives reasons; that of another is refused."""
    whole = model(features(2), classes=("bad", "good", "unclear"))
    assert codes(principal_reasons(explained([0.1, -0.2], output=output), whole, True)) == ["f0"]
    with pytest.raises(InvalidOption, match="only an explanation of 'bad'"):
        principal_reasons(explained([0.1, -0.2], output=output, class_name="good"), whole, True)


@given(pushes, sides)
def test_a_regression_has_its_value(values: list[float], when: AdverseWhen) -> None:
    """A regression's value is its score: the same numbers give what they give for a classification."""
    number = model(features(len(values)), when, task="regression", classes=(), positive_class=None, output="raw")
    told = principal_reasons(explained(values, class_name=None, output="raw"), number, True)
    whole = principal_reasons(explained(values, output="raw"), model(features(len(values)), when), True)
    assert told == whole


@pytest.mark.parametrize(
    ("changes", "whole", "words"),
    [
        ({}, {"decision": None}, r"no \[decision\] table"),
        ({"class_name": None}, {}, "a decision is about class 'bad'"),
        ({"class_name": "ugly"}, {}, "of class 'ugly'"),
        ({}, {"task": "regression", "classes": (), "positive_class": None}, "the model is a regression"),
        ({"output": "raw"}, {"classes": ("bad", "good", "unclear")}, "margin of one class of several"),
        ({"lime": LimeReport(0.0, 0.9, 100, 1.0, ())}, {}, "LIME"),
        ({}, {"features": features(3)}, "2 attributions for 3 features"),
    ],
)
def test_what_cannot_be_read_is_refused(changes: dict[str, Any], whole: dict[str, Any], words: str) -> None:
    """An explanation that is not of the decision's score raises InvalidOption and says why."""
    with pytest.raises(InvalidOption, match=words):
        principal_reasons(explained([1.0, 2.0], **changes), replace(model(features(2)), **whole), True)


@pytest.mark.parametrize(
    ("reference", "method", "blocked"),
    [
        ("average", EXACT, False),
        ("average", replace(EXACT, background="request:00"), True),
        ("approved", EXACT, True),
        ("approved", replace(EXACT, background="request:00"), False),
        ("average", replace(EXACT, name="tree_path"), True),
    ],
)
def test_another_reference_than_the_declared_one_blocks(reference: Any, method: MethodReport, blocked: bool) -> None:
    """Reasons relative to something else than the manifest declares bar a notice, and are shown all the same."""
    spec = DecisionSpec(0.5, "granted", "declined", reference=reference)
    found = principal_reasons(explained([1.0], method=method), model(features(1), decision=spec), True)
    assert blocks(found) == ([("other-reference", None)] if blocked else [])
    assert codes(found) == ["f0"]


def test_it_is_json() -> None:
    """The whole result is written as JSON and read back with the same numbers."""
    found = principal_reasons(explained([1.5, 0.25], [0.1, None]), model(features(2)), True)
    read = json.loads(json.dumps(asdict(found)))
    assert Factor(**{**read["reasons"][0], "members": ("f0",)}) == found.reasons[0]
    assert read["reasons"][1]["standard_error"] is None
