"""Decisions come in to be reviewed: each is explained and looked at for doubts, and kept with its receipts."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from explainer.access.permissions import Permission
from explainer.disclosure.levels import Policy
from explainer.errors import InvalidOption
from explainer.records import DecisionSpec, ExplainOptions
from explainer.reviews.decision import Case, Facts, Flag, Particulars, State
from explainer.reviews.store import new_id
from explainer.settings import Settings
from explainer.usecases.cases import seen_by
from explainer.usecases.deciding import outcome_of
from explainer.usecases.examining import Examined, examine, flags_of, plain_reasons
from explainer.usecases.explain import Admitted, ExplainAsk, admitted
from explainer.usecases.guarding import charged, spent
from explainer.usecases.keeping import About, receipts_for
from explainer.usecases.recording import Note, recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

LONGEST_ID = 200
MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class DecisionAsk:
    """A decision as it is brought. `outcome` and `threshold`: what was decided, where not as the model's owner says."""

    model: str
    instance: Any
    version: str | None = None
    outcome: str | None = None
    threshold: float | None = None
    external_id: str = ""
    subject: str = ""
    due_days: int | None = None
    blind: bool | None = None


def bring(rooms: Rooms, serving: Served, caller: Caller, ask: DecisionAsk) -> tuple[Case, Policy, bool]:
    """Keep a decision with its explanation, reasons, warnings and receipts; all of it or nothing.

    Returns it as `seen_by` shows it to the caller.

    Raises InvalidRows, InvalidOption (a model without [decision], an unknown outcome), Conflict where the external id
    is taken, and as `explain` does.
    """
    with recorded(rooms.ledger, caller, "decision:create", model=ask.model) as note:
        rooms.access.require(caller.principal, Permission.DECISION_CREATE, ask.model)
        asked = admitted(
            rooms, serving, caller, ExplainAsk(ask.model, [ask.instance], ExplainOptions(), ask.version), note, 1
        )
        spec = _spec(asked, ask)
        charged(rooms, caller, asked.version, asked.rows)
        found = examine(rooms, caller, asked, spec, ask.outcome)
        told = [answer for _, answer in found.told]
        spent(rooms, caller, asked.version, (a.explanations for a in told if not a.hit), note)
        rooms.extraction.explained(caller.principal, asked.version, asked.rows, [told[0].explanations])
        receipts = _receipts(rooms, caller, asked, found, ask.subject or None, note)
        facts = _facts(caller, asked, found, ask, receipts, rooms.settings)
        particulars = _particulars(asked, found, ask)
        note.beside.append(rooms.reviews.creation(facts, particulars))
        note.update(decision=facts.id, adverse=facts.adverse, flags=int(facts.flags))
        note["blocked"] = ",".join(sorted({b.code for b in found.reasons.blocked if b.factor is not None}))
    return seen_by(rooms, caller, Case(facts, State(), particulars))


def _spec(asked: Admitted, ask: DecisionAsk) -> DecisionSpec:
    manifest = asked.version.manifest
    if manifest.decision is None:
        raise InvalidOption(
            f"model: the manifest of {manifest.name} has no [decision] table, so nothing is decided by it."
        )
    for name, text in (("external_id", ask.external_id), ("subject", ask.subject)):
        if len(text) > LONGEST_ID or not text.isprintable():
            raise InvalidOption(f"{name}: give up to {LONGEST_ID} printable characters.")
    if ask.due_days is not None and not 1 <= ask.due_days <= MOST_DAYS:
        raise InvalidOption(f"due_days: give 1 to {MOST_DAYS} days.")
    if ask.threshold is None:
        return manifest.decision
    if not math.isfinite(ask.threshold):
        raise InvalidOption("threshold: give a finite number.")
    return replace(manifest.decision, threshold=float(ask.threshold))


def _receipts(
    rooms: Rooms, caller: Caller, asked: Admitted, found: Examined, subject: str | None, note: Note
) -> list[str]:
    ids = []
    for options, answer in found.told:
        named, keep = receipts_for(rooms, caller, About(asked.version, options, subject), asked.rows, [answer])
        ids += named
        note.beside.append(keep)
    note["first_receipt"] = ids[0]
    return [*ids, *[ids[0]] * (3 - len(ids))]


def _facts(
    caller: Caller, asked: Admitted, found: Examined, ask: DecisionAsk, receipts: list[str], settings: Settings
) -> Facts:
    now, decision_id = datetime.now(UTC), new_id()
    flags = flags_of(found, sample=_drawn(decision_id, settings.review_sample))
    days = found.spec.due_days if ask.due_days is None else ask.due_days
    blind = {"never": False, "sample": Flag.SAMPLE in flags, "always": True}[settings.review_blind]
    model = asked.version.manifest
    return Facts(
        id=decision_id,
        created_at=now.isoformat(timespec="milliseconds"),
        principal=caller.principal.id,
        model=model.name,
        version=model.version,
        digest=asked.version.digest,
        score=found.score,
        threshold=found.spec.threshold,
        outcome=found.outcome,
        model_outcome=outcome_of(found.spec, found.score),
        adverse=found.adverse,
        receipt=receipts[0],
        lime_receipt=receipts[1],
        reasons_receipt=receipts[2],
        flags=flags,
        leading=found.reasons.reasons[0].code if found.reasons.reasons else "",
        due_at=(now + timedelta(days=days)).isoformat(timespec="seconds"),
        blind=blind if ask.blind is None else ask.blind,
    )


def _particulars(asked: Admitted, found: Examined, ask: DecisionAsk) -> Particulars:
    return Particulars(
        external_id=ask.external_id,
        subject=ask.subject,
        row=tuple(None if math.isnan(value) else value for value in asked.rows[0].tolist()),
        reasons=plain_reasons(found.reasons),
        warnings=tuple(asdict(w) for w in found.shap.warnings),
        agreement=asdict(found.agreement),
        stability=asdict(found.stability),
    )


def _drawn(decision_id: str, share: float) -> bool:
    """Whether it is in the random sample: by the id's own digits, so that it can be checked afterwards."""
    drawn = hashlib.sha256(decision_id.encode()).digest()
    return int.from_bytes(drawn[:4], "big") < share * 2**32
