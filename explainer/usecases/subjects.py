"""All that is kept of one person: shown, erased for good, and erased again where a copy brought it back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, StorageFailed
from explainer.receipts.resealing import Resealed, reseal
from explainer.receipts.subjects import Subjects, list_of, marks_of
from explainer.receipts.written import options_json
from explainer.records import Receipt
from explainer.reviews.decision import Case, Verdict
from explainer.reviews.resealing import reseal as reseal_reviews
from explainer.usecases.erasing import cached_of
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

SHOWN = 16  # digits of a subject's mark that an entry names
NOT_CACHED = (
    "The answers about this subject could not be removed from the cache for certain; the log says why. No receipt was "
    "erased: try again, or stop the service, delete cache*.db*, and erase then."
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """`mark` stands for the subject in the list of the erased; `log_emptied` is False where others kept it busy."""

    mark: str
    receipts: int
    log_emptied: bool


def show_subject(rooms: Rooms, caller: Caller, subject: str) -> list[dict[str, Any]]:
    """Every receipt about the subject with its row, and every decision with what people entered about it."""
    mark = rooms.receipts.seals.mark(subject)
    with recorded(rooms.ledger, caller, "subject:read", subject=mark.hex()[:SHOWN]) as note:
        rooms.access.require(caller.principal, Permission.SUBJECT_READ)
        receipts = Subjects(rooms.receipts).receipts(mark)
        decisions = rooms.reviews.of_subject(mark)
        note["receipts"], note["decisions"] = len(receipts), len(decisions)
        entered = {case.facts.id: rooms.reviews.verdicts(case.facts.id) for case in decisions}
        return [
            *(_plain(receipt) for receipt in receipts),
            *(_decision(case, entered[case.facts.id]) for case in decisions),
        ]


def count_subject(rooms: Rooms, caller: Caller, subject: str) -> int:
    """How many receipts an erasure would remove."""
    mark = rooms.receipts.seals.mark(subject)
    with recorded(rooms.ledger, caller, "subject:count", subject=mark.hex()[:SHOWN]) as note:
        rooms.access.require(caller.principal, Permission.SUBJECT_ERASE)
        note["receipts"] = found = Subjects(rooms.receipts).count(mark)
        return found


def erase_subject(rooms: Rooms, caller: Caller, subject: str) -> Erasure:
    """Remove the subject's receipts and what decisions tell of it, and destroy its keys; the entry says so with it.

    Raises Conflict when a hold keeps them.
    """
    return _erase(rooms, caller, rooms.receipts.seals.mark(subject))


def erase_again(rooms: Rooms, caller: Caller, lines: Sequence[str]) -> list[Erasure]:
    """Erase everybody in a list of the erased after a restore, held or not: they were gone already.

    Raises InvalidOption before anything is done.
    """
    try:
        marks = marks_of(lines)
    except ValueError as error:
        raise InvalidOption(f"list: this is no list of erased subjects: {error}.") from None
    return [_erase(rooms, caller, mark, held_too=True) for mark in marks]


def list_erased(rooms: Rooms, caller: Caller) -> str:
    """One line for each erased subject, its mark and when it was: who it was cannot be found out from it."""
    with recorded(rooms.ledger, caller, "subject:list"):
        rooms.access.require(caller.principal, Permission.SUBJECT_ERASE)
        return list_of(Subjects(rooms.receipts).erased())


def reseal_records(rooms: Rooms, caller: Caller) -> Resealed:
    """Seal what is in the clear and wrap all keys by the first master key. Raises KeyMissing, SealBroken."""
    with recorded(rooms.ledger, caller, "record:reseal") as note:
        rooms.access.require(caller.principal, Permission.RECORD_RESEAL)
        done = reseal(rooms.receipts)
        reviews = reseal_reviews(rooms.receipts.file, rooms.receipts.seals)
        note["sealed"], note["rewrapped"], note["damaged"] = done.sealed, done.rewrapped, done.damaged
        note["reviews"] = reviews
    Subjects(rooms.receipts).wipe()
    return replace(done, sealed=done.sealed + reviews)


def _erase(rooms: Rooms, caller: Caller, mark: bytes, *, held_too: bool = False) -> Erasure:
    subjects = Subjects(rooms.receipts)
    erase = subjects.erasure(mark, datetime.now(UTC).isoformat(timespec="seconds"), held_too=held_too)
    erase_decisions = rooms.reviews.erasure(mark)

    def beside(connection: sqlite3.Connection) -> None:
        erase(connection)
        erase_decisions(connection)

    with recorded(rooms.ledger, caller, "subject:erase", subject=mark.hex()[:SHOWN]) as note:
        rooms.access.require(caller.principal, Permission.SUBJECT_ERASE)
        if not held_too:
            subjects.check_free(mark)
        note["receipts"] = count = subjects.count(mark)
        cached = cached_of(rooms, mark)
        note["cached"] = len(cached)
        if not rooms.cache.erase(cached):  # first: without its receipts nobody knows where an answer lies
            raise StorageFailed(NOT_CACHED)
        note.beside.append(beside)
    gone = rooms.cache.erase(cached)  # what was answered meanwhile
    return Erasure(mark.hex(), count, subjects.wipe() and gone)


def _plain(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.id,
        "created_at": receipt.created_at,
        "principal": receipt.principal,
        "model": {"name": receipt.model, "version": receipt.version, "digest": receipt.model_digest},
        "options": orjson.loads(options_json(receipt.options)),
        "row": [None if value != value else value for value in receipt.row],  # noqa: PLR0124
        "answer": orjson.loads(receipt.answer),
    }


def _decision(case: Case, entered: Sequence[Verdict]) -> dict[str, Any]:
    facts = asdict(case.facts)
    return {
        "decision": facts.pop("id"),
        **facts,
        "flags": [flag.word for flag in case.facts.flags],
        "status": case.state.status,
        **({} if case.particulars is None else asdict(case.particulars)),
        "verdicts": [asdict(verdict) for verdict in entered],
    }
