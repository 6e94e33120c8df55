"""Exactly one ledger entry for whatever happens inside: answered, refused or failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from explainer.durable import Job
from explainer.errors import ExplainerError, StorageFailed
from explainer.ledger.sqlite import Ledger
from explainer.records import LedgerEntry
from explainer.usecases.rooms import Caller

Fact = str | int | float | bool | None


class Note(dict[str, Fact]):
    """Facts for an entry (never row values); `beside` is what has to be written with it, or not at all."""

    def __init__(self, known: dict[str, Fact]) -> None:
        super().__init__(known)
        self.beside: list[Job[None]] = []


@contextmanager
def recorded(ledger: Ledger, caller: Caller, event: str, **known: str | int | None) -> Iterator[Note]:
    """Yield a note to add facts to; it is written, in one transaction with `note.beside`, before the answer leaves.

    Raises StorageFailed instead of letting an answer leave that could not be written.
    """
    note = Note(dict(known))
    outcome = "failed"
    try:
        yield note
        outcome = "answered"
    except ExplainerError as error:
        outcome, error.recorded = error.code, True
        raise
    finally:
        entry = LedgerEntry(f"{caller.door}:{event}", caller.principal.id, outcome, caller.request_id, note)
        _write(ledger, caller, entry, note.beside if outcome == "answered" else [])


def _write(ledger: Ledger, caller: Caller, entry: LedgerEntry, beside: list[Job[None]]) -> None:
    if not beside:
        caller.entries.append(_appended(ledger, caller, entry))
        return
    try:
        caller.entries.append(ledger.append(entry, beside))
    except StorageFailed as error:
        # What belongs to the answer was not kept, so there is no answer; the ledger says so, where it can.
        caller.entries.append(ledger.append(replace(entry, outcome=error.code)))
        raise


def _appended(ledger: Ledger, caller: Caller, entry: LedgerEntry) -> int:
    """Refusals of callers who gave no name are counted together where there are many."""
    nobody = caller.principal.kind == "anonymous" and entry.outcome != "answered"
    return ledger.strangers.append(entry) if nobody else ledger.append(entry)


def record_refusal(ledger: Ledger, caller: Caller, event: str, outcome: str) -> None:
    """Write the entry of a request that was turned away before it reached a use case, unless it has one."""
    if not caller.entries:
        entry = LedgerEntry(f"{caller.door}:{event}", caller.principal.id, outcome, caller.request_id, {})
        caller.entries.append(_appended(ledger, caller, entry))
