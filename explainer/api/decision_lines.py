"""Decisions as JSON, no more of them than the reader may see."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from explainer.disclosure.levels import Policy
from explainer.disclosure.policy import disclose
from explainer.records import Explanation
from explainer.registry.rows import row_values
from explainer.reviews.decision import Case, Verdict
from explainer.usecases.cases import CaseFile

SIZES = ("attribution", "standard_error", "half_width")
HIDDEN = {"what": "decision", "detail": "judge blind first: `verdict` with kind blind, then the answer is shown"}
NO_SIZES = {"what": "reasons", "detail": "this role does not see how large the pushes are"}
NO_SCORE = {"what": "score", "detail": "this role does not see the whole score"}
NO_VALUES = {"what": "instance", "detail": "this role does not see the row's values"}
GONE = {"what": "decision", "detail": "what told of the person was erased"}


def decision_line(case: Case, shows: Policy, hidden: bool) -> dict[str, Any]:
    """A decision without its explanations; what `shows` or a blind judgement holds back is said in `withheld`."""
    facts, state, known = case.facts, case.state, case.particulars
    gone = hidden or known is None
    reasons: dict[str, Any] = {} if known is None or hidden else known.reasons
    return {
        "id": facts.id,
        "created_at": facts.created_at,
        "model": {"name": facts.model, "version": facts.version, "digest": facts.digest},
        "external_id": None if known is None else known.external_id or None,
        "score": None if gone else _score(facts.score, shows),
        "threshold": None if gone else facts.threshold,
        "outcome": None if hidden else facts.outcome,
        "model_outcome": None if hidden else facts.model_outcome,
        "adverse": None if hidden else facts.adverse,
        "status": state.status,
        "assignee": state.assignee,
        "entries": state.entries,
        "flags": [flag.word for flag in facts.flags],
        "priority": facts.priority,
        "due_at": facts.due_at,
        "decided_at": state.decided_at or None,
        "receipts": {} if hidden else _receipts(case),
        "reasons": None if gone else [_reason(one, shows) for one in reasons.get("reasons", ())],
        "order_certain": None if gone else reasons.get("order_certain"),
        "blocked": [_notice(one, shows) for one in reasons.get("blocked", ())],
        "warnings": [_notice(one, shows) for one in (() if known is None else known.warnings)],
        "hidden": hidden,
        "withheld": _withheld(case, shows, hidden),
    }


def case_line(found: CaseFile) -> dict[str, Any]:
    """The whole answer about one decision."""
    known, shows = found.case.particulars, found.policy
    whole = known is not None and not found.hidden and shows.whole
    return {
        "decision": decision_line(found.case, shows, found.hidden),
        "final_outcome": None if found.hidden else found.final,
        "instance": _instance(found) if shows.values else None,
        "explanation": _explanation(found, found.shap),
        "lime": _explanation(found, found.lime),
        "agreement": known.agreement if whole and known is not None else None,
        "stability": known.stability if whole and known is not None else None,
        "verdicts": [verdict_line(v) for v in found.entered],
        "possible": list(found.possible),
        "verdict_reasons": list(found.reasons),
        "lost": [dataclasses.asdict(n) for n in found.lost],
    }


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    line = dataclasses.asdict(verdict)
    del line["decision"]
    return line


def _score(score: float, shows: Policy) -> float | None:
    if shows.prediction == "none":
        return None
    return float(f"{score:.2g}") if shows.prediction == "rounded" else score


def _reason(one: dict[str, Any], shows: Policy) -> dict[str, Any]:
    return one if shows.whole else {name: value for name, value in one.items() if name not in SIZES}


def _notice(one: dict[str, Any], shows: Policy) -> dict[str, Any]:
    return {"code": one["code"], "detail": one["detail"] if shows.whole else None}


def _receipts(case: Case) -> dict[str, str]:
    facts = case.facts
    return {"explanation": facts.receipt, "lime": facts.lime_receipt, "reasons": facts.reasons_receipt}


def _withheld(case: Case, shows: Policy, hidden: bool) -> list[dict[str, str]]:
    if case.particulars is None:
        return [GONE]
    said = [
        (hidden, HIDDEN),
        (not shows.whole, NO_SIZES),
        (shows.prediction != "full", NO_SCORE),
        (not shows.values, NO_VALUES),
    ]
    return [what for holds, what in said if holds]


def _row(case: Case) -> tuple[float, ...]:
    row = () if case.particulars is None else case.particulars.row
    return tuple(math.nan if value is None else value for value in row)


def _instance(found: CaseFile) -> dict[str, Any] | None:
    if found.version is None or found.case.particulars is None:
        return None
    features = found.version.manifest.features
    (values,) = row_values(features, np.array([_row(found.case)]))
    return dict(zip((f.name for f in features), values, strict=True))


def _explanation(found: CaseFile, explanation: Explanation | None) -> dict[str, Any] | None:
    instance = _instance(found)
    if explanation is None or found.version is None or instance is None:
        return None
    return disclose(explanation, found.version.manifest.features, list(instance.values()), found.policy, None)
