"""An answer with fewer digits than there are, or with reasons in place of numbers; whatever is held back is said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from explainer.disclosure.levels import Policy
from explainer.disclosure.words import leading, reason_lines
from explainer.records import Explanation, Feature

Value = str | int | float | bool | None
MOST_REASONS = 4


def narrowed(
    explanation: Explanation, features: Sequence[Feature], values: Sequence[Value], policy: Policy, top: int | None
) -> dict[str, Any]:
    """Return the answer under a policy that does not show every digit, features and values in schema order.

    Rounded numbers still add up: each standard error is widened by two rounding steps, which bounds what rounding
    moved. The expected value is told only where the prediction is, and with its digits.
    """
    step = _step(explanation)
    method = explanation.method
    answer: dict[str, Any] = {
        "prediction": _told(explanation.prediction, policy, step),
        "expected_value": _told(explanation.expected_value, policy, step) if policy.detail == "rounded" else None,
        "class": explanation.class_name,
        "output": explanation.output,
        "attributions": [],
        "method": {
            "name": method.name,
            "version": method.version,
            "reason": method.reason,
            "exact": method.exact,
            "evaluations": method.evaluations,
            "seed": method.seed,
            "background": method.background,
            "additivity_gap": None,
            "stopped": method.stopped,
        },
        "confidence": explanation.confidence,
        "warnings": [{"code": w.code} for w in explanation.warnings],
    }
    count = min(n for n in (top, policy.most, len(features)) if n is not None)
    if policy.detail == "rounded":
        chosen = sorted(leading(explanation.attributions, count))
        answer["attributions"] = [_item(explanation, features, values, i, policy, step) for i in chosen]
        if len(chosen) < len(features):
            answer["other"] = _other(explanation, chosen, step)
    else:
        count = count if policy.most is not None or top is not None else min(count, MOST_REASONS)
        answer["reasons"] = _reasons(explanation, features, values, policy, count)
    answer["withheld"] = list(_withheld(explanation, policy, count))
    return answer


def _told(number: float, policy: Policy, step: float) -> float | None:
    if policy.prediction == "none":
        return None
    return _rounded(number, step) if policy.prediction == "rounded" else number


def _step(e: Explanation) -> float:
    """A power of ten that leaves two digits of the largest number in sight, as they are in this row."""
    largest = max(map(abs, (e.prediction, e.expected_value, *e.attributions)))
    return float(10.0 ** (math.floor(math.log10(largest)) - 1)) if largest > 0 else 0.0


def _rounded(number: float, step: float) -> float:
    return float(f"{round(number / step) * step:.12g}") if step else number


def _widened(error: float | None, step: float) -> float | None:
    return None if error is None else float(f"{_rounded(error, step) + 2 * step:.12g}")


def _item(
    e: Explanation, features: Sequence[Feature], values: Sequence[Value], i: int, policy: Policy, step: float
) -> dict[str, Any]:
    return {
        "feature": features[i].name,
        **({"value": values[i]} if policy.values else {}),
        "attribution": _rounded(e.attributions[i], step),
        "standard_error": _widened(e.standard_errors[i], step),
    }


def _other(e: Explanation, chosen: Sequence[int], step: float) -> dict[str, Any]:
    rest = sorted(set(range(len(e.attributions))) - set(chosen))
    errors = [error for i in rest if (error := e.standard_errors[i]) is not None]
    return {
        "features": len(rest),
        "attribution": _rounded(math.fsum(e.attributions[i] for i in rest), step),
        "standard_error": _widened(math.fsum(errors), step) if len(errors) == len(rest) else None,
    }


def _reasons(
    e: Explanation, features: Sequence[Feature], values: Sequence[Value], policy: Policy, count: int
) -> list[dict[str, Any]]:
    if policy.detail == "texts":
        return [
            {"text": line.text or f"{line.feature} {line.direction} it"} for line in reason_lines(e, features, count)
        ]
    of = {feature.name: value for feature, value in zip(features, values, strict=True)}
    return [
        {
            "feature": line.feature,
            **({"value": of[line.feature]} if policy.values else {}),
            "direction": line.direction,
            "text": line.text,
            "protected": line.protected,
        }
        for line in reason_lines(e, features, count)
    ]


def _withheld(e: Explanation, policy: Policy, count: int) -> list[dict[str, str]]:
    kept = {
        "rounded": f"this role sees {count} leading features, each to two digits of the largest number",
        "reasons": f"this role sees at most {count} leading features in order and their direction, no sizes",
        "texts": f"this role sees the words for at most {count} leading features, no sizes",
    }
    found = []
    if policy.detail in kept:
        found.append({"what": "attributions", "detail": kept[policy.detail]})
    if policy.prediction != "full":
        how = "rounded to two digits" if policy.prediction == "rounded" else "not shown; ask for it by predict"
        found.append({"what": "prediction", "detail": f"it is {how}"})
    if policy.detail != "rounded":
        found.append({"what": "expected_value", "detail": "it is shown with sizes of attributions only"})
    found.append({"what": "method.additivity_gap", "detail": "it is shown with every digit only"})
    if not policy.values:
        found.append({"what": "values", "detail": "this role does not see the row's values"})
    if e.lime is not None:
        found.append({"what": "lime", "detail": "intercept, fit and rules are shown with every digit only"})
    if e.warnings:
        found.append({"what": "warnings.detail", "detail": "the sentences may hold numbers that are not shown"})
    return found
