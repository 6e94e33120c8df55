"""SHAP and LIME of the same rows, side by side, with how far they agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explainer.attribution.agreement import Agreement, agreement
from explainer.usecases.explain import ExplainAsk, Explained, explained
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served


@dataclass(frozen=True, slots=True)
class Compared:
    """`agreements` is empty where the sizes of attributions are not shown."""

    shap: Explained
    lime: Explained
    agreements: list[Agreement]


def compare(rooms: Rooms, serving: Served, caller: Caller, ask: ExplainAsk) -> Compared:
    """Explain the rows by both families; the method of `ask` chooses among the SHAP methods. Raises as `explain`."""
    with recorded(rooms.ledger, caller, "comparison:create", model=ask.model, method=ask.options.method) as note:
        lime_ask = replace(ask, options=replace(ask.options, method="lime"))
        shap = explained(rooms, serving, caller, ask, note)
        note["shap_receipt"] = note["first_receipt"]
        lime = explained(rooms, serving, caller, lime_ask, note)
    pairs = [(s, o) for a, b in zip(shap.full, lime.full, strict=True) for s, o in zip(a, b, strict=True)]
    if not shap.policy.whole:  # how far they agree is made of sizes
        return Compared(shap, lime, [])
    return Compared(shap, lime, [agreement(s.attributions, o.attributions) for s, o in pairs])
