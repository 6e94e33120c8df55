"""Exactly one ledger entry for whatever happens inside: answered, refused or failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from explainer.errors import ExplainerError
from explainer.ledger.sqlite import Ledger
from explainer.records import LedgerEntry
from explainer.usecases.rooms import Caller

Note = dict[str, str | int | float | bool | None]


@contextmanager
def recorded(ledger: Ledger, caller: Caller, event: str, **known: str | int | None) -> Iterator[Note]:
    """Yield a note to add facts to (never row values); it is written before the answer leaves.

    Raises StorageFailed instead of letting an answer leave that could not be written.
    """
    note: Note = dict(known)
    outcome = "failed"
    try:
        yield note
        outcome = "answered"
    except ExplainerError as error:
        outcome = error.code
        raise
    finally:
        entry = LedgerEntry(f"{caller.door}:{event}", caller.principal.id, outcome, caller.request_id, note)
        caller.entries.append(ledger.append(entry))


def record_refusal(ledger: Ledger, caller: Caller, event: str, outcome: str) -> None:
    """Write the entry of a request that was turned away before it reached a use case."""
    if not caller.entries:
        caller.entries.append(
            ledger.append(LedgerEntry(f"{caller.door}:{event}", caller.principal.id, outcome, caller.request_id, {}))
        )
