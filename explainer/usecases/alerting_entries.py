"""Entries of the ledger worth an alert by themselves: a model that is being copied, reasons that nobody may tell."""

from __future__ import annotations

from typing import Any, Final

from explainer.monitoring.alerts import Alert
from explainer.records import LedgerEntry

EXTRACTION: Final = "meter:extraction:alert"
DECISION, NOTICE = "decision:create", "notice"
BLOCKED: Final = "notice-blocked"  # the outcome of a notice that was refused
DONE: Final = {
    "tightened": "From now on it is answered leading reasons in their order, without sizes.",
    "refused": "From now on it is refused.",
}


def alert_of(entry: LedgerEntry) -> Alert | None:
    """What an entry has to be told for, None for most. It names principals by their ids, and no value of a row."""
    body, (resource, _, action) = entry.body, entry.event.partition(":")[2].partition(":")
    if entry.event == EXTRACTION:
        return _extraction(entry, body)
    if f"{resource}:{action}" == DECISION and entry.outcome == "answered" and body.get("blocked"):
        detail = (
            f"Decision {_short(body, 'decision')}: its reasons may not be told as they are ({_short(body, 'blocked')})."
        )
        return Alert("protected-reason", _short(body, "model"), f"{detail} A person has to look at it.")
    if resource == NOTICE and entry.outcome == BLOCKED:
        detail = (
            f"The notice of decision {_short(body, 'decision')} was asked for and refused: its reasons may not be told."
        )
        return Alert("notice-blocked", _short(body, "model"), detail)
    return None


def _extraction(entry: LedgerEntry, body: dict[str, Any]) -> Alert:
    """The level is part of the subject: that it was refused is told even within the hour in which it was noticed."""
    seen = f"; its questions show {_short(body, 'patterns')}" if body.get("patterns") else ""
    detail = (
        f"A clone made of the {_short(body, 'rows')} answers would agree with the model in {body.get('agreement')} of "
        f"its background{seen}. {DONE.get(entry.outcome, 'Nothing was changed.')}"
    )
    return Alert("extraction", f"{entry.principal} on {_short(body, 'model')}: {entry.outcome}", detail)


def _short(body: dict[str, Any], name: str) -> str:
    return str(body.get(name, "unknown"))[:120]
