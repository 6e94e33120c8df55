"""Levels below every digit: what is shown adds up, what is not shown cannot be had from the rest."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.disclosure.levels import Policy
from explainer.disclosure.policy import disclose
from explainer.records import Explanation
from tests.disclosure.test_policy import explanations, features_of, values_of


@given(explanations(), st.sampled_from(["full", "rounded"]), st.sampled_from([None, 1, 3]))
def test_rounded_numbers_add_up_to_the_stated_error(e: Explanation, prediction: str, most: int | None) -> None:
    """Expected value, attributions and other differ from the prediction by no more than their errors and the gap."""
    policy = Policy(values=True, most=most, detail="rounded", prediction="rounded")
    answer = disclose(e, features_of(e), values_of(e), policy, None)
    parts = [*answer["attributions"], *([answer["other"]] if "other" in answer else [])]
    errors = [p["standard_error"] for p in parts]
    gap = abs(e.expected_value + math.fsum(e.attributions) - e.prediction)
    if None not in errors and len(parts) > 1:
        total = answer["expected_value"] + math.fsum(p["attribution"] for p in parts)
        assert abs(total - answer["prediction"]) <= math.fsum(errors) * (1 + 1e-9) + gap + 1e-9


@given(explanations(), st.sampled_from(["reasons", "texts"]), st.sampled_from(["full", "rounded", "none"]))
def test_reasons_hold_no_sizes(e: Explanation, detail: str, prediction: str) -> None:
    """Every answer with the same order, signs and prediction is the same: sizes cannot be had from it."""
    policy = Policy(values=True, most=3, detail=detail, prediction=prediction)  # type: ignore[arg-type]
    answer = disclose(e, features_of(e), values_of(e), policy, None)
    assert (answer["attributions"], answer["expected_value"], answer["method"]["additivity_gap"]) == ([], None, None)
    assert "lime" not in answer
    assert "other" not in answer
    assert len(answer["reasons"]) <= 3
    assert {"attributions", "expected_value"} <= {w["what"] for w in answer["withheld"]}
    numbers = {k: v for k, v in answer.items() if k not in ("prediction", "method", "confidence", "reasons")}
    assert not [v for v in orjson.loads(orjson.dumps(numbers)).values() if isinstance(v, float)]
    assert not [v for r in answer["reasons"] for k, v in r.items() if k != "value" and isinstance(v, float)]
    assert (answer["prediction"] is None) is (prediction == "none")


@given(explanations())
def test_reasons_are_the_leading_features_in_order(e: Explanation) -> None:
    """Largest first with its direction; texts alone name neither."""
    features = features_of(e)
    answer = disclose(e, features, values_of(e), Policy(values=False, most=2, detail="reasons"), None)
    order = sorted(range(len(features)), key=lambda i: (-abs(e.attributions[i]), i))[:2]
    order = [i for i in order if e.attributions[i] != 0]
    assert [r["feature"] for r in answer["reasons"]] == [features[i].name for i in order]
    signs = ["increases" if e.attributions[i] > 0 else "decreases" for i in order]
    assert [r["direction"] for r in answer["reasons"]] == signs
    assert all("value" not in r for r in answer["reasons"])
    texts = disclose(e, features, values_of(e), Policy(values=False, most=2, detail="texts"), None)
    assert [set(r) for r in texts["reasons"]] == [{"text"}] * len(order)


@pytest.mark.parametrize("top", [1, 2])
@given(e=explanations())
def test_the_request_may_ask_for_less(top: int, e: Explanation) -> None:
    """`top` narrows further, never widens."""
    answer = disclose(e, features_of(e), values_of(e), Policy(values=True, most=1, detail="reasons"), top)
    assert len(answer["reasons"]) <= 1
