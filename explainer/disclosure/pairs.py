"""What a role may see of interactions: the leading pairs, the rest as one sum, and every main effect."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explainer.disclosure.levels import POLICIES, Policy, policy_of, require_whole
from explainer.disclosure.words import leading
from explainer.records import Feature, Interactions

WITHHELD = {"what": "warnings.detail", "detail": "the sentences may name the row's values"}


def disclose_pairs(
    found: Interactions,
    features: Sequence[Feature],
    reader: str | Policy,
    top: int,
    policies: Mapping[str, Policy] = POLICIES,
) -> dict[str, Any]:
    """Return the answer as `reader`, a role or a policy, may read it.

    The `top` pairs of largest index are shown, largest first, those of zero left out.

    Expected value, main effects, the pairs shown and `other` add up to the prediction: an index counts once, not once
    for each of its two features. The error of `other` is the sum of the single ones, which bounds it. Raises
    NotPermitted for an unknown role, and where sizes are not shown.
    """
    policy = policy_of(reader, policies)
    require_whole(policy, "Interactions")
    first, second = np.triu_indices(len(features), 1)
    index = (2 * found.values[first, second]).tolist()
    errors = (2 * found.standard_errors[first, second]).tolist()
    most = top if policy.most is None else min(top, policy.most)
    shown = [p for p in leading(index, most) if index[p] != 0.0 or errors[p] != 0.0]
    rest = sorted(set(range(len(index))) - set(shown))
    return {
        "prediction": found.prediction,
        "expected_value": found.expected_value,
        "class": found.class_name,
        "output": found.output,
        "interactions": [
            {
                "features": [features[first[p]].name, features[second[p]].name],
                "interaction": index[p],
                "standard_error": errors[p],
            }
            for p in shown
        ],
        "other": {
            "pairs": len(rest),
            "interaction": math.fsum(index[p] for p in rest),
            "standard_error": math.fsum(errors[p] for p in rest),
        },
        "main_effects": _main_effects(found, features, policy),
        "method": dataclasses.asdict(found.method),
        "confidence": found.confidence,
        "warnings": [{"code": w.code, **({"detail": w.detail} if policy.values else {})} for w in found.warnings],
        "withheld": [] if policy.values or not found.warnings else [WITHHELD],
    }


def _main_effects(found: Interactions, features: Sequence[Feature], policy: Policy) -> list[dict[str, Any]]:
    effects, errors = np.diag(found.values).tolist(), np.diag(found.standard_errors).tolist()
    totals = found.values.sum(axis=1).tolist()
    kept = range(len(effects)) if policy.most is None else sorted(leading(effects, policy.most))
    return [
        {
            "feature": features[i].name,
            "main_effect": effects[i],
            "standard_error": errors[i],
            "attribution": totals[i],
        }
        for i in kept
    ]
