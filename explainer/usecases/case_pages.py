"""What the pages of decision review are made of: a page of the queue, the case after this one, and one case whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explainer.access.permissions import Permission
from explainer.records import FloatArray, Principal
from explainer.registry.rows import uncode_rows
from explainer.reviews.decision import Case
from explainer.reviews.standing import Standing
from explainer.reviews.wanted import Wanted
from explainer.usecases.cases import CaseFile, Queue, open_case, queue, seen_by
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.what_if import Decided, standing

LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Bench:
    """A page of the queue with what its filters offer. `all_told` counts every decision that the caller may read.

    `reviewers` are the people a case may be given to, by id, whatever the model.
    """

    queue: Queue
    models: tuple[str, ...]
    reviewers: dict[str, str]
    all_told: int


@dataclass(frozen=True, slots=True)
class Look:
    """When somebody opened the case last; `answer`: whether they have seen what the model said."""

    name: str
    at: str
    answer: bool


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case with what its page shows beside it.

    `row` has the values by feature name: empty where the caller sees no values, or nothing tells what they are called.
    `standings` are empty where charts may not be drawn. `asks`: whether the caller may ask the model about values;
    `receipts`: whether they may read the case's receipts.
    """

    file: CaseFile
    row: dict[str, Any]
    standings: tuple[Standing, ...]
    reviewers: dict[str, str]
    looks: tuple[Look, ...]
    asks: bool
    receipts: bool


def workbench(rooms: Rooms, caller: Caller, wanted: Wanted, external_id: str = "") -> Bench:
    """The queue as `wanted`; by an external id in one model, or in all that the caller may read. Raises as `queue`."""
    models = _models(rooms, caller)
    if external_id and wanted.model is None:
        found = _found(rooms, caller, external_id[:LONGEST_ID], models)
    else:
        found = queue(rooms, caller, wanted, external_id)
    everybodys = rooms.access.may(caller.principal, Permission.DECISION_READ_ALL)
    mine = Wanted(
        show="all", models=caller.principal.models, principal=None if everybodys else caller.principal.id, limit=1
    )
    return Bench(found, models, reviewers(rooms, wanted.model), found.count or rooms.reviews.count(mine))


def next_case(rooms: Rooms, caller: Caller, wanted: Wanted, than: str) -> tuple[str, int] | None:
    """The id and place of the case at `wanted.offset` of the queue, or of the one after it where that is `than`."""
    found = queue(rooms, caller, replace(wanted, limit=2))
    others = [(case.facts.id, wanted.offset + i) for i, case in enumerate(found.cases) if case.facts.id != than]
    return others[0] if others else None


def case_page(rooms: Rooms, caller: Caller, decision_id: str) -> CasePage:
    """Everything that the page of one decision shows. Raises NotFound, StorageFailed."""
    file = open_case(rooms, caller, decision_id)
    facts, who = file.case.facts, caller.principal
    row = coded_row(file.case)
    drawn = row is not None and file.version is not None and file.policy.drawn
    return CasePage(
        file=file,
        row=_values(file, row),
        standings=standing(rooms, caller, Decided(file.version, row)) if drawn else (),  # type: ignore[arg-type]
        reviewers=reviewers(rooms, facts.model),
        looks=_looks(rooms, file),
        asks=rooms.access.may(who, Permission.EXPLANATION_CREATE, facts.model),
        receipts=facts.principal == who.id or rooms.access.may(who, Permission.RECEIPT_READ_ALL, facts.model),
    )


def coded_row(case: Case) -> FloatArray | None:
    """The coded row (features,) that was decided; None once it was erased."""
    if case.particulars is None or not case.particulars.row:
        return None
    return np.array([np.nan if value is None else value for value in case.particulars.row])


def reviewers(rooms: Rooms, model: str | None) -> dict[str, str]:
    """Names by id of the people who may give verdicts on the model, or on any."""
    found = {}
    for person in rooms.access.people.all():
        who = Principal(person.id, "person", person.role, person.name, person.models)
        if not person.disabled and rooms.access.may(who, Permission.VERDICT_CREATE, model):
            found[person.id] = person.name
    return found


def _models(rooms: Rooms, caller: Caller) -> tuple[str, ...]:
    names = {version.manifest.name for version in rooms.registry.versions() if version.manifest.decision is not None}
    return tuple(sorted(n for n in names if rooms.access.may(caller.principal, Permission.DECISION_READ, n)))


def _found(rooms: Rooms, caller: Caller, external_id: str, models: tuple[str, ...]) -> Queue:
    """Whatever has this external id, in any state and of any of the models."""
    with recorded(rooms.ledger, caller, "decision:find") as note:
        rooms.access.require(caller.principal, Permission.DECISION_READ)
        everybodys = rooms.access.may(caller.principal, Permission.DECISION_READ_ALL)
        owner = None if everybodys else caller.principal.id
        cases = [
            case
            for model in models
            for case in rooms.reviews.page(
                Wanted("all", model, principal=owner, external=rooms.reviews.external_mark(model, external_id))
            )
        ]
        note["decisions"] = len(cases)
        frame = queue(rooms, caller, Wanted(limit=1))
    seen = [seen_by(rooms, caller, case) for case in cases]
    return replace(
        frame,
        cases=[case for case, _, _ in seen],
        hidden=[hidden for _, _, hidden in seen],
        policies={case.facts.model: shows for case, shows, _ in seen},
        count=len(seen),
        tallies={},
    )


def _values(file: CaseFile, row: FloatArray | None) -> dict[str, Any]:
    if row is None or file.version is None or not file.policy.values:
        return {}
    values: dict[str, Any] = uncode_rows(file.version.manifest.features, row[None])[0]
    return values


def _looks(rooms: Rooms, file: CaseFile) -> tuple[Look, ...]:
    found = rooms.reviews.looks(file.case.facts.id)
    return tuple(Look(file.people.get(principal, principal), at, answer) for principal, at, answer in found)
