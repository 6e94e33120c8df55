"""What a role may see of an explanation; whatever is held back is said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from explainer.disclosure.levels import POLICIES, Policy, policy_of
from explainer.disclosure.narrowing import Value, narrowed
from explainer.disclosure.words import leading
from explainer.errors import InvalidOption
from explainer.records import Explanation, Feature, LimeReport

__all__ = ["POLICIES", "Policy", "Value", "disclose", "leading"]


def disclose(
    explanation: Explanation,
    features: Sequence[Feature],
    values: Sequence[Value],
    reader: str | Policy,
    top: int | None,
) -> dict[str, Any]:
    """Return the answer as `reader`, a role or a policy, may read it, features and values in schema order.

    With `top` (or the policy's own limit) only that many leading attributions are given, the rest summed as `other`:
    expected value, attributions and other still add up, and the error of `other` is the sum of the single errors,
    which bounds it however they depend on one another. Raises NotPermitted for an unknown role, InvalidOption for a
    `top` below 1.
    """
    policy = policy_of(reader)
    if top is not None and top < 1:
        raise InvalidOption(f"top: {top} is not possible; ask for 1 or more features, or leave it out for all.")
    if not policy.whole:
        return narrowed(explanation, features, values, policy, top)
    shown = _leading(explanation.attributions, _smaller(top, policy.most))
    answer: dict[str, Any] = {
        "prediction": explanation.prediction,
        "expected_value": explanation.expected_value,
        "class": explanation.class_name,
        "output": explanation.output,
        "attributions": [_attribution(explanation, features, values, i, policy) for i in shown],
        "method": _method(explanation),
        "confidence": explanation.confidence,
        "warnings": [{"code": w.code, **({"detail": w.detail} if policy.values else {})} for w in explanation.warnings],
        "withheld": _withheld(explanation, len(shown), top, policy),
    }
    if len(shown) < len(features):
        answer["other"] = _other(explanation, shown)
    if explanation.lime is not None:
        answer["lime"] = _lime(explanation.lime, len(shown), policy)
    return answer


def _leading(attributions: Sequence[float], count: int | None) -> list[int]:
    return list(range(len(attributions))) if count is None else sorted(leading(attributions, count))


def _smaller(first: int | None, second: int | None) -> int | None:
    given = [n for n in (first, second) if n is not None]
    return min(given) if given else None


def _attribution(
    explanation: Explanation, features: Sequence[Feature], values: Sequence[Value], i: int, policy: Policy
) -> dict[str, Any]:
    shown: dict[str, Any] = {"feature": features[i].name}
    if policy.values:
        shown["value"] = values[i]
    shown["attribution"] = explanation.attributions[i]
    shown["standard_error"] = explanation.standard_errors[i]
    return shown


def _other(explanation: Explanation, shown: Sequence[int]) -> dict[str, Any]:
    rest = sorted(set(range(len(explanation.attributions))) - set(shown))
    errors = [e for i in rest if (e := explanation.standard_errors[i]) is not None]
    return {
        "features": len(rest),
        "attribution": math.fsum(explanation.attributions[i] for i in rest),
        "standard_error": math.fsum(errors) if len(errors) == len(rest) else None,
    }


def _method(explanation: Explanation) -> dict[str, Any]:
    method = explanation.method
    return {
        "name": method.name,
        "version": method.version,
        "reason": method.reason,
        "exact": method.exact,
        "evaluations": method.evaluations,
        "seed": method.seed,
        "background": method.background,
        "additivity_gap": method.additivity_gap,
        "stopped": method.stopped,
    }


def _lime(lime: LimeReport, count: int, policy: Policy) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "intercept": lime.intercept,
        "local_r2": lime.local_r2,
        "samples": lime.samples,
        "kernel_width": lime.kernel_width,
        "stability": lime.stability,
    }
    if policy.values:
        kept = sorted(leading([weight for _, weight in lime.rules], count))
        shown["rules"] = [{"rule": lime.rules[i][0], "weight": lime.rules[i][1]} for i in kept]
    return shown


def _withheld(explanation: Explanation, shown: int, top: int | None, policy: Policy) -> list[dict[str, str]]:
    withheld = []
    rest = len(explanation.attributions) - shown
    if rest > 0:
        by_role = policy.most is not None and (top is None or policy.most < top)
        why = f"this role sees the {policy.most} leading ones" if by_role else f"the request asked for the top {top}"
        withheld.append({"what": "attributions", "detail": f"{rest} features are summed as 'other': {why}"})
    if not policy.values:
        withheld.append({"what": "values", "detail": "this role does not see the row's values"})
        if explanation.lime is not None:
            withheld.append({"what": "lime.rules", "detail": "the rules name the row's values"})
        if explanation.warnings:
            withheld.append({"what": "warnings.detail", "detail": "the sentences may name the row's values"})
    return withheld
