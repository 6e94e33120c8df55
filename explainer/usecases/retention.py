"""How long receipts are kept: periods, holds, and the sweep that removes what is due."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, NotFound
from explainer.receipts.retention import ANY, AT_ONCE, Hold, Retention, under_hold
from explainer.reviews.retention import ReviewRetention
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

Record = Literal["receipts", "decisions"]
LONGEST_DAYS = 36_500
LONGEST_REASON = 500
MODEL = re.compile(r"[a-z0-9][a-z0-9-]{0,62}|\*")


@dataclass(frozen=True, slots=True)
class Kept:
    """Days by model (`*`: every other) of receipts and of decided cases, and holds."""

    periods: dict[str, int]
    holds: list[Hold]
    decisions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Due:
    """So many receipts, or decided cases, of a model (`*`: of every other) are older than `before`."""

    model: str
    before: str
    receipts: int = 0
    decisions: int = 0


def show_retention(rooms: Rooms, caller: Caller) -> Kept:
    """Periods and holds as they are."""
    with recorded(rooms.ledger, caller, "retention:read"):
        rooms.access.require(caller.principal, Permission.RETENTION_MANAGE)
        retention = Retention(rooms.receipts)
        return Kept(retention.periods(), retention.holds(), _reviews(rooms).periods())


def set_period(rooms: Rooms, caller: Caller, model: str, days: int | None, kind: Record = "receipts") -> None:
    """Keep a model's receipts, or its decided cases, for so many days (None: for ever). Raises InvalidOption."""
    with recorded(rooms.ledger, caller, "retention:change", model=model, days=days, kind=kind) as note:
        rooms.access.require(caller.principal, Permission.RETENTION_MANAGE)
        if MODEL.fullmatch(model) is None:
            raise InvalidOption(f"model: {model[:80]!r} is no model's name, nor `*` for every other.")
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise InvalidOption(f"days: from 1 to {LONGEST_DAYS}, not {days}.")
        kept = Retention(rooms.receipts) if kind == "receipts" else _reviews(rooms)
        note.beside.append(kept.keep_for(model, days))


def begin_hold(rooms: Rooms, caller: Caller, kind: Literal["model", "subject"], name: str, reason: str) -> None:
    """Let nobody remove the receipts of a model or a subject, for a reason. Raises InvalidOption."""
    with recorded(rooms.ledger, caller, "hold:create", kind=kind) as note:
        rooms.access.require(caller.principal, Permission.RETENTION_MANAGE)
        if not 1 <= len(reason.strip()) <= LONGEST_REASON:
            raise InvalidOption(f"reason: a hold needs one, of at most {LONGEST_REASON} characters.")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        hold = Hold(kind, _held_name(rooms, kind, name), reason.strip(), at)
        note["name"] = hold.name[:64]
        note.beside.append(Retention(rooms.receipts).hold(hold))


def end_hold(rooms: Rooms, caller: Caller, kind: Literal["model", "subject"], name: str) -> None:
    """Raises NotFound when there is no such hold."""
    with recorded(rooms.ledger, caller, "hold:remove", kind=kind) as note:
        rooms.access.require(caller.principal, Permission.RETENTION_MANAGE)
        retention, wanted = Retention(rooms.receipts), _held_name(rooms, kind, name)
        note["name"] = wanted[:64]
        found = [hold for hold in retention.holds() if (hold.kind, hold.name) == (kind, wanted)]
        if not found:
            raise NotFound(f"There is no hold on this {kind}.")
        note.beside.append(retention.release(found[0]))


def what_is_due(rooms: Rooms, caller: Caller, now: datetime) -> list[Due]:
    """What a sweep would remove."""
    with recorded(rooms.ledger, caller, "retention:count") as note:
        rooms.access.require(caller.principal, Permission.RETENTION_MANAGE)
        found = [*_due(Retention(rooms.receipts), now), *_due_reviews(_reviews(rooms), now)]
        note["receipts"] = sum(one.receipts for one in found)
        note["decisions"] = sum(one.decisions for one in found)
        return found


def sweep(rooms: Rooms, caller: Caller, now: datetime) -> list[Due]:
    """Remove what is due, some at a time, each with its ledger entry; returns what was removed."""
    retention, reviews = Retention(rooms.receipts), _reviews(rooms)
    found = [one for one in what_is_due(rooms, caller, now) if one.receipts or one.decisions]
    for one in found:
        before = datetime.fromisoformat(one.before)
        for first in range(0, one.receipts, AT_ONCE):
            count = min(AT_ONCE, one.receipts - first)
            with recorded(rooms.ledger, caller, "retention:sweep", model=one.model, before=one.before) as note:
                note["receipts"] = count
                note.beside.append(retention.removal(one.model, before))
        for first in range(0, one.decisions, AT_ONCE):
            with recorded(rooms.ledger, caller, "retention:sweep", model=one.model, before=one.before) as note:
                note["decisions"] = min(AT_ONCE, one.decisions - first)
                note.beside.append(reviews.emptying(one.model, before, AT_ONCE))
    return found


def _due(retention: Retention, now: datetime) -> Iterator[Due]:
    for model, days in retention.periods().items():
        before = now - timedelta(days=days)
        yield Due(model, before.isoformat(timespec="seconds"), retention.due(model, before))


def _due_reviews(reviews: ReviewRetention, now: datetime) -> Iterator[Due]:
    for model, days in reviews.periods().items():
        before = now - timedelta(days=days)
        yield Due(model, before.isoformat(timespec="seconds"), decisions=reviews.due(model, before))


def _reviews(rooms: Rooms) -> ReviewRetention:
    return ReviewRetention(rooms.receipts.file, under_hold)


def _held_name(rooms: Rooms, kind: str, name: str) -> str:
    if kind == "subject":
        return rooms.receipts.seals.mark(name).hex()
    if MODEL.fullmatch(name) is None or name == ANY:
        raise InvalidOption(f"model: {name[:80]!r} is no model's name.")
    return name
