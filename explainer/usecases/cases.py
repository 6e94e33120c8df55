"""Decisions as people look at them: the queue, one case with all that is known of it, and who works on which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from explainer.access.permissions import Permission
from explainer.disclosure.levels import Policy
from explainer.errors import ExplainerError, InvalidOption, NotFound
from explainer.records import Explanation, ModelVersion, Notice, Principal
from explainer.reviews.decision import Case, Flag, Kind, Verdict
from explainer.reviews.rules import REASONS, possible
from explainer.reviews.wanted import Wanted
from explainer.usecases.answering import Answer
from explainer.usecases.guarding import policy
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

LONGEST_VIEW, MOST_VIEWS = 60, 50


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of decisions; `count` is of all pages, `tallies` of each flag among them. `people`: names by id.

    `hidden` says of each case whether the reader has to judge first; `policies` are those of the models.
    """

    cases: list[Case]
    hidden: list[bool]
    policies: dict[str, Policy]
    count: int
    tallies: dict[str, int]
    views: list[tuple[str, str]]
    people: dict[str, str]
    now: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One decision with what was answered at the time.

    `hidden`: the reader has to judge first, so score, outcome, reasons and explanations are not to be shown; they are
    None then. `lost` says for each receipt that is not there any longer why. `final` is what is decided as of now.
    """

    case: Case
    version: ModelVersion | None
    shap: Explanation | None
    lime: Explanation | None
    basis: Explanation | None  # what the principal reasons are made of
    entered: list[Verdict]
    possible: list[Kind]
    reasons: tuple[str, ...]  # from which a verdict's reason is chosen
    final: str
    hidden: bool
    policy: Policy
    lost: tuple[Notice, ...]
    people: dict[str, str]
    now: str


def queue(rooms: Rooms, caller: Caller, wanted: Wanted, external_id: str = "") -> Queue:
    """The decisions that the caller may read, as `wanted`; by an external id within one model. Raises InvalidOption."""
    with recorded(rooms.ledger, caller, "decision:list", show=wanted.show[:20]) as note:
        wanted = _readable(rooms, caller, wanted)
        if external_id:
            if wanted.model is None:
                raise InvalidOption("model: an external id is looked up within one model; name it.")
            wanted = replace(wanted, external=rooms.reviews.external_mark(wanted.model, external_id))
        found = rooms.reviews.page(wanted)
        hidden = [is_hidden(rooms, caller, case) for case in found]
        note["decisions"] = len(found)
        return Queue(
            cases=[veiled(case) if hide else case for case, hide in zip(found, hidden, strict=True)],
            hidden=hidden,
            policies={model: policy(rooms, caller, model) for model in {case.facts.model for case in found}},
            count=rooms.reviews.count(wanted),
            tallies=rooms.reviews.tallies(wanted),
            views=rooms.reviews.views(caller.principal.id),
            people=_people(rooms),
            now=_now(),
        )


def open_case(rooms: Rooms, caller: Caller, decision_id: str) -> CaseFile:
    """Everything about one decision; that the caller saw it is noted. Raises NotFound, StorageFailed."""
    with recorded(rooms.ledger, caller, "decision:show", decision=decision_id[:40]) as note:
        case = readable_case(rooms, caller, decision_id)
        note["model"] = case.facts.model
        entered = rooms.reviews.verdicts(decision_id)
        hidden = is_hidden(rooms, caller, case)
        shows = policy(rooms, caller, case.facts.model)
        lost: list[Notice] = []
        told = [None, None, None] if hidden else _told(rooms, case, lost)
        may_confirm = rooms.access.may(caller.principal, Permission.VERDICT_CONFIRM, case.facts.model)
        may_enter = rooms.access.may(caller.principal, Permission.VERDICT_CREATE, case.facts.model)
        kinds = possible(case, entered, caller.principal.id, may_confirm=may_confirm) if may_enter else []
        note.beside.append(rooms.reviews.look(decision_id, caller.principal.id, datetime.now(UTC), answer=not hidden))
        version = version_of(rooms, case)
        return CaseFile(
            case=veiled(case) if hidden else case,
            version=version,
            shap=told[0],
            lime=told[1],
            basis=told[2],
            entered=entered,
            possible=["blind"] if hidden else kinds,
            reasons=verdict_reasons(version),
            final=final_outcome(case, entered),
            hidden=hidden,
            policy=shows,
            lost=tuple(lost),
            people=_people(rooms),
            now=_now(),
        )


def assign(rooms: Rooms, caller: Caller, decision_id: str, person: str) -> Case:
    """Give a case to a person by id or name, to oneself by `me`, to nobody by an empty text.

    Raises NotFound, InvalidOption for somebody who may not review this model.
    """
    with recorded(rooms.ledger, caller, "decision:assign", decision=decision_id[:40]) as note:
        case = readable_case(rooms, caller, decision_id)
        rooms.access.require(caller.principal, Permission.DECISION_ASSIGN, case.facts.model)
        assignee = reviewer(rooms, caller, person, case.facts.model)
        note["assignee"] = assignee
        note.beside.append(rooms.reviews.assigning(decision_id, assignee))
    return replace(case, state=replace(case.state, assignee=assignee))


def save_view(rooms: Rooms, caller: Caller, name: str, query: str) -> None:
    """Keep a queue's address under a name of the caller's own. Raises InvalidOption."""
    with recorded(rooms.ledger, caller, "decision:save-view") as note:
        rooms.access.require(caller.principal, Permission.DECISION_READ)
        name = name.strip()
        if not name or len(name) > LONGEST_VIEW or not name.isprintable():
            raise InvalidOption(f"name: give a view a name of up to {LONGEST_VIEW} printable characters.")
        known = {n for n, _ in rooms.reviews.views(caller.principal.id)}
        if len(query) > 1000 or len(known - {name}) >= MOST_VIEWS:
            raise InvalidOption(f"name: at most {MOST_VIEWS} views are kept; remove one first.")
        note.beside.append(rooms.reviews.saving_view(caller.principal.id, name, query))


def forget_view(rooms: Rooms, caller: Caller, name: str) -> None:
    with recorded(rooms.ledger, caller, "decision:forget-view") as note:
        rooms.access.require(caller.principal, Permission.DECISION_READ)
        note.beside.append(rooms.reviews.forgetting_view(caller.principal.id, name))


def readable_case(rooms: Rooms, caller: Caller, decision_id: str) -> Case:
    """The case, for whoever may read it; another's is not found. Raises NotFound, NotPermitted."""
    case = rooms.reviews.get(decision_id)
    everybodys = rooms.access.may(caller.principal, Permission.DECISION_READ_ALL, case.facts.model)
    if not everybodys and case.facts.principal != caller.principal.id:
        raise NotFound(f"There is no decision {decision_id}.")
    rooms.access.require(caller.principal, Permission.DECISION_READ, case.facts.model)
    return case


def after_entry(rooms: Rooms, caller: Caller, decision_id: str) -> tuple[Case, Policy, bool]:
    """The case as it stands after what the caller did to it, what they may see of it, and whether it is hidden."""
    case = readable_case(rooms, caller, decision_id)
    return seen_by(rooms, caller, case)


def seen_by(rooms: Rooms, caller: Caller, case: Case) -> tuple[Case, Policy, bool]:
    """The case as the caller may see it, by which policy, and whether they have to judge first."""
    hidden = is_hidden(rooms, caller, case)
    return (veiled(case) if hidden else case), policy(rooms, caller, case.facts.model), hidden


def is_hidden(rooms: Rooms, caller: Caller, case: Case) -> bool:
    """Whether the caller, who may give a verdict on it, has to judge before the model's answer is shown."""
    if not case.facts.blind or case.state.status == "erased":
        return False
    if not rooms.access.may(caller.principal, Permission.VERDICT_CREATE, case.facts.model):
        return False
    if any(v.principal == caller.principal.id and v.kind == "blind" for v in rooms.reviews.verdicts(case.facts.id)):
        return False
    seen = rooms.reviews.looked(case.facts.id, caller.principal.id)
    return seen is None or not seen[1]


def veiled(case: Case) -> Case:
    """Without anything that tells what the model said."""
    sampled = case.facts.flags & Flag.SAMPLE
    facts = replace(case.facts, score=0.0, outcome="", model_outcome="", adverse=False, leading="", flags=sampled)
    known = case.particulars
    kept = None if known is None else replace(known, reasons={}, warnings=(), agreement={}, stability={})
    return Case(facts, case.state, kept)


def version_of(rooms: Rooms, case: Case) -> ModelVersion | None:
    """The version that decided, as long as it is registered, in service or not."""
    try:
        version = rooms.registry.get(case.facts.model, case.facts.version)
    except NotFound:
        return None
    return version if version.digest == case.facts.digest else None


def verdict_reasons(version: ModelVersion | None) -> tuple[str, ...]:
    """What a reviewer chooses from: the owner's list, or the house's."""
    decision = None if version is None else version.manifest.decision
    return decision.verdict_reasons if decision is not None and decision.verdict_reasons else REASONS


def final_outcome(case: Case, entered: Iterable[Verdict]) -> str:
    """What is decided as of now: the decision, or what an override that was confirmed put in its place."""
    if case.state.status != "overridden":
        return case.facts.outcome
    return next(v.outcome for v in reversed(list(entered)) if v.kind == "confirm")


def reviewer(rooms: Rooms, caller: Caller, person: str, model: str) -> str:
    """The id of who may review the model. Raises InvalidOption."""
    if person in ("", "me"):
        return "" if not person else caller.principal.id
    found = next((p for p in rooms.access.people.all() if person in (p.id, p.name) and not p.disabled), None)
    if found is None:
        raise InvalidOption(f"assignee: there is nobody called {person[:80]!r} here.")
    who = Principal(found.id, "person", found.role, found.name, found.models)
    if not rooms.access.may(who, Permission.VERDICT_CREATE, model):
        raise InvalidOption(f"assignee: {found.name} may not review decisions of {model}.")
    return found.id


def _readable(rooms: Rooms, caller: Caller, wanted: Wanted) -> Wanted:
    rooms.access.require(caller.principal, Permission.DECISION_READ, wanted.model)
    everybodys = rooms.access.may(caller.principal, Permission.DECISION_READ_ALL)
    assignee = caller.principal.id if wanted.assignee == "me" else wanted.assignee
    own = None if everybodys else caller.principal.id
    judge = caller.principal.id if rooms.access.may(caller.principal, Permission.VERDICT_CREATE) else None
    return replace(wanted, models=caller.principal.models, principal=own, assignee=assignee, judge=judge)


def _told(rooms: Rooms, case: Case, lost: list[Notice]) -> list[Explanation | None]:
    """SHAP, LIME and what reasons are made of, from their receipts."""
    found: dict[str, Explanation | None] = {}
    for receipt_id in dict.fromkeys((case.facts.receipt, case.facts.lime_receipt, case.facts.reasons_receipt)):
        try:
            found[receipt_id] = Answer(rooms.receipts.get(receipt_id).answer, True).explanations[0]
        except ExplainerError as error:
            found[receipt_id] = None
            lost.append(Notice(error.code, error.detail))
    return [found[i] for i in (case.facts.receipt, case.facts.lime_receipt, case.facts.reasons_receipt)]


def _people(rooms: Rooms) -> dict[str, str]:
    return {person.id: person.name for person in rooms.access.people.all()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
