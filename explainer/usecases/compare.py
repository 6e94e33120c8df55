"""SHAP and LIME of the same rows, side by side, with how far they agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explainer.attribution.agreement import Agreement, agreement
from explainer.usecases.explain import ExplainAsk, Explained, explain
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Serving


@dataclass(frozen=True, slots=True)
class Compared:
    shap: Explained
    lime: Explained
    agreements: list[Agreement]


def compare(rooms: Rooms, serving: Serving, caller: Caller, ask: ExplainAsk) -> Compared:
    """Explain the rows by both families; the method of `ask` chooses among the SHAP methods. Two ledger entries."""
    shap = explain(rooms, serving, caller, ask)
    lime = explain(rooms, serving, caller, replace(ask, options=replace(ask.options, method="lime")))
    pairs = [(s, o) for a, b in zip(shap.full, lime.full, strict=True) for s, o in zip(a, b, strict=True)]
    return Compared(shap, lime, [agreement(s.attributions, o.attributions) for s, o in pairs])
