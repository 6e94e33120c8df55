"""What is shown of interactions adds up, and what is held back is said."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.disclosure.pairs import disclose_pairs
from explainer.disclosure.policy import Policy
from explainer.errors import NotPermitted
from explainer.records import Feature, Interactions, MethodReport, Notice

METHOD = MethodReport("permutation", 1, "sampled", False, 100, 7, "default:abc", 0.0)


def made(seed: int, features: int) -> Interactions:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(features, features)) * (rng.random((features, features)) < 0.7)
    values = values + values.T
    return Interactions(0.25 + values.sum(), 0.25, "bad", "raw", values, np.abs(values) / 10, METHOD)


def named(found: Interactions) -> tuple[Feature, ...]:
    return tuple(Feature(f"f{i}", "number") for i in range(len(found.values)))


@given(st.integers(0, 1000), st.integers(1, 8), st.integers(1, 30))
def test_everything_shown_adds_up(seed: int, features: int, top: int) -> None:
    """Expected value, main effects, pairs and the rest as one sum are the prediction, whatever is asked for."""
    found = made(seed, features)
    shown = disclose_pairs(found, named(found), "analyst", top)
    parts = [e["main_effect"] for e in shown["main_effects"]] + [p["interaction"] for p in shown["interactions"]]
    total = math.fsum([shown["expected_value"], *parts, shown["other"]["interaction"]])
    assert total == pytest.approx(shown["prediction"])
    assert len(shown["interactions"]) + shown["other"]["pairs"] == features * (features - 1) // 2
    sizes = [abs(p["interaction"]) for p in shown["interactions"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) <= top
    assert 0.0 not in sizes


def test_a_pair_carries_its_whole_index() -> None:
    """The matrix holds half of it at either place; the error is scaled alike, attributions are the rows' sums."""
    values = np.array([[1.0, 0.25, 0.0], [0.25, 2.0, -1.0], [0.0, -1.0, 3.0]])
    found = replace(made(1, 3), values=values, standard_errors=np.full((3, 3), 0.1) * (values != 0))
    shown = disclose_pairs(found, named(found), "analyst", 5)
    assert shown["interactions"] == [
        {"features": ["f1", "f2"], "interaction": -2.0, "standard_error": 0.2},
        {"features": ["f0", "f1"], "interaction": 0.5, "standard_error": 0.2},
    ]
    assert [e["attribution"] for e in shown["main_effects"]] == [1.25, 1.25, 2.0]
    assert [e["main_effect"] for e in shown["main_effects"]] == [1.0, 2.0, 3.0]
    assert shown["method"]["name"] == "permutation"


def test_who_does_not_see_values_gets_codes_alone() -> None:
    """A sentence of a warning may name a value: such a role sees its code, and is told."""
    found = replace(made(1, 3), warnings=(Notice("far", "age 19 is rare"),))
    hidden, open_ = (disclose_pairs(found, named(found), role, 5) for role in ("administrator", "analyst"))
    assert hidden["warnings"] == [{"code": "far"}]
    assert [w["what"] for w in hidden["withheld"]] == ["warnings.detail"]
    assert open_["warnings"] == [{"code": "far", "detail": "age 19 is rare"}]
    assert open_["withheld"] == []


def test_a_role_with_a_limit_sees_the_leading_ones() -> None:
    """A role that sees so many attributions sees no more pairs or main effects than that."""
    shown = disclose_pairs(made(3, 5), named(made(3, 5)), "clerk", 9, {"clerk": Policy(values=True, most=2)})
    assert len(shown["interactions"]) == len(shown["main_effects"]) == 2


def test_an_unknown_role_sees_nothing() -> None:
    """No policy, no answer."""
    with pytest.raises(NotPermitted):
        disclose_pairs(made(1, 3), named(made(1, 3)), "stranger", 5)
