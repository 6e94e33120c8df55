"""What a reviewer asks about one case: other values, what would change the outcome, and cases that are like it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explainer.access.permissions import Permission
from explainer.errors import Conflict, ExplainerError, NotPermitted
from explainer.records import DecisionSpec, Explanation, Feature
from explainer.reviews.counterfactuals import Found
from explainer.reviews.decision import Case
from explainer.reviews.distance import Difference, differences
from explainer.reviews.similar import Similar, nearest
from explainer.usecases.answering import Answer
from explainer.usecases.case_pages import coded_row
from explainer.usecases.cases import final_outcome, is_hidden, readable_case, version_of
from explainer.usecases.guarding import policy
from explainer.usecases.recording import Note, recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served
from explainer.usecases.what_if import (
    CHANGES,
    SIMILAR,
    WHAT_IF,
    Decided,
    WhatIf,
    memory,
    outcome_changes,
    similar_background,
    what_if,
)

RECENT = 2000  # past decisions of the version that are looked through
SHOWN = 5  # of which the nearest are shown


Reader = Callable[[Sequence[Feature]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of other values. `before` is the explanation of the case, None where its receipt is lost."""

    case: Case
    answer: WhatIf
    before: Explanation | None


@dataclass(frozen=True, slots=True)
class Past:
    """A past decision that is like the case; `final` is what is decided there as of now."""

    case: Case
    final: str
    distance: float
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """`past` is None where the caller may not read everybody's decisions; `looked` counts those looked through."""

    background: Similar
    past: tuple[Past, ...] | None
    looked: int


def try_values(rooms: Rooms, serving: Served, caller: Caller, decision_id: str, read: Reader) -> Tried:
    """Predict and explain the case's row with other values; nothing is kept.

    `read` makes of a schema the JSON values by feature that are to be tried.
    Raises NotFound, NotPermitted, Conflict (judged blind first, erased, not registered), InvalidRows, and as `explain`.
    """
    with recorded(rooms.ledger, caller, WHAT_IF, decision=decision_id[:40]) as note:
        case, decided = _asked(rooms, caller, decision_id, note)
        answer = what_if(rooms, serving, caller, decided, read(decided.version.manifest.features), note)
    return Tried(case, answer, _explanation(rooms, case))


def look_for_changes(rooms: Rooms, serving: Served, caller: Caller, decision_id: str) -> Found:
    """Few, plausible and allowed changes that lead to the other outcome. Raises as `try_values`."""
    with recorded(rooms.ledger, caller, CHANGES, decision=decision_id[:40]) as note:
        _, decided = _asked(rooms, caller, decision_id, note)
        return outcome_changes(rooms, serving, caller, decided, note)


def alike(rooms: Rooms, serving: Served, caller: Caller, decision_id: str) -> Alike:
    """What the nearest rows of the background have in common, and the nearest past decisions. Raises as `try_values`.

    Past decisions are those of the same version, without any that was erased or that the caller has to judge first.
    """
    with recorded(rooms.ledger, caller, SIMILAR, decision=decision_id[:40]) as note:
        case, decided = _asked(rooms, caller, decision_id, note)
        group = similar_background(rooms, serving, caller, decided, note)
        if not rooms.access.may(caller.principal, Permission.DECISION_READ_ALL, case.facts.model):
            return Alike(group, None, 0)
        others = [c for c in rooms.reviews.recent(case.facts.model, case.facts.digest, RECENT) if _told(c, case)]
        note["looked"] = len(others)
        return Alike(group, _nearest(rooms, caller, decided, others), len(others))


def _asked(rooms: Rooms, caller: Caller, decision_id: str, note: Note) -> tuple[Case, Decided]:
    """The case and what the model is asked about, for who may read the one and ask the other."""
    case = readable_case(rooms, caller, decision_id)
    facts = case.facts
    note["model"] = facts.model
    rooms.access.require(caller.principal, Permission.EXPLANATION_CREATE, facts.model)
    if not policy(rooms, caller, facts.model).drawn:
        raise NotPermitted("This shows scores and values that this role does not see of this model.")
    if is_hidden(rooms, caller, case):
        raise Conflict("This case is judged blind first: say what you would decide, then the model can be asked.")
    row, version = coded_row(case), version_of(rooms, case)
    if row is None:
        raise Conflict("The row of this decision was erased, so there is nothing to ask the model about.")
    if version is None or version.retired_at is not None:
        state = "not registered any more" if version is None else "retired"
        raise Conflict(f"The version that decided, {facts.model} {facts.version}, is {state}: it cannot be asked.")
    return case, Decided(version, row, _spec(case, version.manifest.decision))


def _spec(case: Case, declared: DecisionSpec | None) -> DecisionSpec | None:
    """The decision as the case was held against it: with its own threshold."""
    return None if declared is None else replace(declared, threshold=case.facts.threshold)


def _explanation(rooms: Rooms, case: Case) -> Explanation | None:
    try:
        return Answer(rooms.receipts.get(case.facts.receipt).answer, True).explanations[0]
    except ExplainerError:  # the page of the case says what became of it
        return None


def _told(other: Case, case: Case) -> bool:
    return other.facts.id != case.facts.id and other.particulars is not None and bool(other.particulars.row)


def _nearest(rooms: Rooms, caller: Caller, decided: Decided, others: list[Case]) -> tuple[Past, ...]:
    seen = [c for c in others if not is_hidden(rooms, caller, c)]
    if not seen:
        return ()
    features = decided.version.manifest.features
    coded = np.array([coded_row(c) for c in seen])
    near = nearest(decided.row, coded, memory.of(rooms, decided.version).ground.gower, SHOWN)
    return tuple(
        Past(
            case=seen[i],
            final=final_outcome(seen[i], rooms.reviews.verdicts(seen[i].facts.id)),
            distance=float(distance),
            differences=differences(features, parts, decided.row, coded[i]),
        )
        for i, distance, parts in zip(near.indices.tolist(), near.distances, near.parts, strict=True)
    )
