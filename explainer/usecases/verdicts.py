"""A person answers for a decision: their verdict is one more entry, in the case and in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from explainer.access.permissions import Permission
from explainer.errors import Conflict, InvalidOption
from explainer.records import ModelVersion
from explainer.reviews.decision import Case, Kind, Status, Verdict
from explainer.reviews.rules import Wish, check, check_words
from explainer.usecases.cases import is_hidden, readable_case, reviewer, verdict_reasons, version_of
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


def enter(rooms: Rooms, caller: Caller, decision_id: str, wish: Wish) -> tuple[Case, Verdict]:
    """Enter a verdict; returns the case as it was before and the entry.

    Raises NotFound, Conflict (not possible now, or somebody was quicker), NotPermitted (four eyes, permissions),
    InvalidOption for words that are missing.
    """
    with recorded(rooms.ledger, caller, "verdict:create", decision=decision_id[:40], kind=wish.kind) as note:
        case = readable_case(rooms, caller, decision_id)
        model, who = case.facts.model, caller.principal
        note["model"] = model
        rooms.access.require(who, Permission.VERDICT_CREATE, model)
        entered, version = rooms.reviews.verdicts(decision_id), version_of(rooms, case)
        hidden = is_hidden(rooms, caller, case)
        _check_order(wish.kind, hidden=hidden)
        may_confirm = rooms.access.may(who, Permission.VERDICT_CONFIRM, model)
        status = check(case, entered, wish, who.id, may_confirm=may_confirm)
        if wish.kind != "blind":
            check_words(wish, verdict_reasons(version))
        assignee = _assignee(rooms, caller, case, wish)
        verdict = _verdict(rooms, caller, case, wish, status, _outcome(case, entered, wish, version))
        note.update(number=verdict.number, status=status, outcome=verdict.outcome, seconds=verdict.seconds)
        note.beside.append(rooms.reviews.entering(case, verdict, assignee))
    return case, verdict


def _check_order(kind: Kind, *, hidden: bool) -> None:
    if hidden and kind != "blind":
        raise Conflict("This case is judged blind first: say what you would decide, then the model's answer is shown.")
    if kind == "blind" and not hidden:
        raise Conflict("You have seen the model's answer, or have judged already: a blind judgement is not possible.")


def _outcome(case: Case, entered: Sequence[Verdict], wish: Wish, version: ModelVersion | None) -> str:
    """What is decided from then on, or what was judged."""
    decision = None if version is None else version.manifest.decision
    words = (case.facts.outcome,) if decision is None else (decision.favourable, decision.adverse)
    other = next((word for word in words if word != case.facts.outcome), case.facts.outcome)
    if wish.kind == "blind":
        if wish.outcome not in words:
            raise InvalidOption(f"outcome: say what you would decide: {' or '.join(words)}.")
        return wish.outcome
    if wish.kind == "override":
        if decision is None:
            raise Conflict("The model version that decided is not registered any more, so its outcomes are not known.")
        return other
    if wish.kind == "confirm":
        return next(v.outcome for v in reversed(entered) if v.kind == "override")
    return case.facts.outcome


def _assignee(rooms: Rooms, caller: Caller, case: Case, wish: Wish) -> str:
    if wish.kind != "refer":
        return case.state.assignee
    if not wish.assignee:
        return ""
    return reviewer(rooms, caller, wish.assignee, case.facts.model)


def _verdict(rooms: Rooms, caller: Caller, case: Case, wish: Wish, status: Status, outcome: str) -> Verdict:
    now = datetime.now(UTC)
    opened = rooms.reviews.looked(case.facts.id, caller.principal.id)
    seconds = None if opened is None else int((now - datetime.fromisoformat(opened[0])).total_seconds())
    return Verdict(
        number=case.state.entries + 1,
        decision=case.facts.id,
        at=now.isoformat(timespec="seconds"),
        principal=caller.principal.id,
        name=caller.principal.name,
        kind=wish.kind,
        reason=wish.reason,
        text=wish.text.strip(),
        seconds=None if seconds is None else max(0, seconds),
        status=status,
        outcome=outcome,
    )
