"""What a role may see of a summary over rows: the features in order of importance, and the points behind it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explainer.attribution.summary import summarised
from explainer.disclosure.levels import Policy, policy_of, require_whole
from explainer.disclosure.narrowing import Value
from explainer.disclosure.words import leading
from explainer.records import ExplainOptions, Explanation, Feature


def disclose_importance(
    found: Mapping[int, Explanation],
    features: Sequence[Feature],
    points: Sequence[Sequence[Value]] | None,
    reader: str | Policy,
    options: ExplainOptions,
) -> dict[str, Any]:
    """Return the summary of one class's explanations, by row number, as `reader`, a role or a policy, may read it.

    Features come in order of their mean absolute attribution, at most `options.top`. `points` are the values of all
    rows, in schema order: where given, each feature carries the attributions of all rows, and their values for roles
    that see them. Raises NotPermitted for an unknown role, and where sizes are not shown.
    """
    policy = policy_of(reader)
    require_whole(policy, "Importances")
    one = next(iter(found.values()))
    attributions = np.array([e.attributions for e in found.values()])
    errors = np.array([[np.nan if s is None else s for s in e.standard_errors] for e in found.values()])
    summary = summarised(attributions, errors, shared_seed=options.seed is not None)
    given = [n for n in (options.top, policy.most) if n is not None]
    shown = leading([s.mean_absolute for s in summary], min([len(features), *given]))
    items = [{"feature": features[i].name, **dataclasses.asdict(summary[i])} for i in shown]
    if points is not None:
        for item, i in zip(items, shown, strict=True):
            if policy.values:
                item["values"] = [points[row][i] for row in found]
            item["attributions"] = attributions[:, i].tolist()
    return {
        "class": one.class_name,
        "output": one.output,
        "rows": list(found),
        "expected_value": one.expected_value,
        "mean_prediction": float(np.mean([e.prediction for e in found.values()])),
        "features": items,
        "background": one.method.background,
        "exact": all(e.method.exact for e in found.values()),
        "methods": dict(Counter(e.method.name for e in found.values())),
        "evaluations": sum(e.method.evaluations for e in found.values()),
        "warnings": dict(Counter(w.code for e in found.values() for w in e.warnings)),
        "withheld": _withheld(len(features) - len(shown), points is not None, policy),
    }


def _withheld(rest: int, points: bool, policy: Policy) -> list[dict[str, str]]:
    withheld = []
    if rest:
        withheld.append({"what": "features", "detail": f"{rest} features of less importance are not shown"})
    if points and not policy.values:
        withheld.append({"what": "values", "detail": "this role does not see the rows' values"})
    return withheld
