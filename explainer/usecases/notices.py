"""The notice to whom a decision concerns: made of what is stored, and of nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from html import escape
from statistics import NormalDist
from typing import Any

import numpy as np

from explainer.access.permissions import Permission
from explainer.disclosure.levels import require_whole
from explainer.errors import Conflict, NoticeBlocked, Problem
from explainer.records import Explanation, ModelVersion
from explainer.registry.rows import row_values
from explainer.reviews.decision import Case, Particulars, Verdict
from explainer.reviews.notices import (
    Datum,
    Document,
    NoticeFacts,
    Push,
    ReasonLine,
    Record,
    Review,
    Sender,
    compose,
    html,
    pdf,
)
from explainer.usecases.answering import Answer
from explainer.usecases.cases import final_outcome, is_hidden, readable_case, version_of
from explainer.usecases.guarding import policy
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class NoticeWish:
    """`form`: json, html or pdf; None as `jurisdiction`: as the manifest says, as `language`: as the house does."""

    language: str | None = None
    jurisdiction: str | None = None
    packet: bool = False
    form: str = "json"


@dataclass(frozen=True, slots=True)
class Made:
    """The document, and its bytes in the form that was asked for (none for json)."""

    document: Document
    plain: dict[str, Any]
    media_type: str
    name: str
    content: bytes = field(default=b"", repr=False)


def notice(rooms: Rooms, caller: Caller, decision_id: str, wish: NoticeWish) -> Made:
    """Write the notice. Raises NotFound, NoticeBlocked (a protected or unmapped factor among the reasons), Conflict.

    InvalidOption for a language or jurisdiction that there is not, and where the sender's settings are missing.
    """
    language = wish.language or rooms.settings.notice_language
    with recorded(rooms.ledger, caller, "notice:read", decision=decision_id[:40], packet=int(wish.packet)) as note:
        case = readable_case(rooms, caller, decision_id)
        note["model"], note["language"] = case.facts.model, language[:8]
        rooms.access.require(caller.principal, Permission.NOTICE_READ, case.facts.model)
        known, version = _there(case), version_of(rooms, case)
        if is_hidden(rooms, caller, case):
            raise Conflict("This case is judged blind first: the notice would tell the model's answer.")
        if version is None or version.manifest.decision is None:
            raise Conflict(f"Version {case.facts.version} of {case.facts.model} is not registered any more.")
        if wish.packet:
            require_whole(policy(rooms, caller, case.facts.model), "Packets")
        entered = rooms.reviews.verdicts(decision_id)
        facts = _facts(rooms, case, known, version, entered, packet=wish.packet)
        if facts.blocked and facts.adverse:
            problems = [Problem("reasons", "blocked", detail) for detail in facts.blocked]
            raise NoticeBlocked(f"The notice is blocked: {facts.blocked[0]}", problems=problems)
        form = wish.jurisdiction or version.manifest.decision.jurisdiction
        return _made(compose(facts, form, language, wish.packet), case, wish.form)


def _made(document: Document, case: Case, form: str) -> Made:
    plain = {
        "title": document.title,
        "language": document.language,
        "date": document.date,
        "blocks": [{"kind": type(block).__name__.lower(), **asdict(block)} for block in document.blocks],
    }
    name = f"notice-{case.facts.id}"
    if form == "pdf":
        return Made(document, plain, "application/pdf", f"{name}.pdf", pdf(document))
    if form == "html":
        head = f'<!doctype html>\n<html lang="{document.language}"><meta charset="utf-8">'
        page = f"{head}<title>{escape(document.title)}</title>{html(document)}</html>\n"
        return Made(document, plain, "text/html", f"{name}.html", page.encode())
    return Made(document, plain, "application/json", f"{name}.json")


def _there(case: Case) -> Particulars:
    if case.particulars is None:
        raise Conflict("What told of the person was erased, so there is nothing to give notice of.")
    return case.particulars


def _facts(
    rooms: Rooms,
    case: Case,
    known: Particulars,
    version: ModelVersion,
    entered: Sequence[Verdict],
    *,
    packet: bool,
) -> NoticeFacts:
    manifest, settings = version.manifest, rooms.settings
    spec, final = manifest.decision, final_outcome(case, entered)
    adverse = spec is not None and final == spec.adverse
    standing = next((v for v in reversed(entered) if v.kind in ("uphold", "confirm")), None)
    by_person = adverse and not case.facts.adverse
    proposed = next((v for v in reversed(entered) if v.kind == "override"), None)
    reasons: tuple[ReasonLine, ...] = tuple(ReasonLine(r["text"], r["code"]) for r in known.reasons["reasons"])
    if by_person and proposed is not None:
        reasons = (ReasonLine(proposed.reason),)
    return NoticeFacts(
        sender=Sender(settings.notice_sender, settings.notice_address, settings.notice_contact, settings.notice_agency),
        outcome=final,
        adverse=adverse,
        decided_at=case.facts.created_at if standing is None else standing.at,
        model=manifest.name,
        version=manifest.version,
        purpose=manifest.card.purpose,
        reasons=reasons,
        data=_data(version, known),
        reference=known.external_id,
        order_certain=by_person or bool(known.reasons["order_certain"]),
        basis=known.reasons["reference"],
        reasons_by="person" if by_person else "model",
        review=None if standing is None else _review(standing),
        texts_language=settings.notice_language,
        blocked=() if by_person else tuple(b["detail"] for b in known.reasons["blocked"] if b["code"] != "not-adverse"),
        record=_record(rooms, case, version, known, entered) if packet else None,
    )


def _review(verdict: Verdict) -> Review:
    return Review(verdict.kind, verdict.at, verdict.outcome, verdict.reason)


def _values(version: ModelVersion, known: Particulars) -> list[Any]:
    row = np.array([[math.nan if value is None else value for value in known.row]])
    return row_values(version.manifest.features, row)[0]


def _data(version: ModelVersion, known: Particulars) -> tuple[Datum, ...]:
    pairs = zip(version.manifest.features, _values(version, known), strict=True)
    return tuple(Datum(_label(f.name), value, f.description) for f, value in pairs)


def _label(name: str) -> str:
    return name.replace("_", " ")


def _record(rooms: Rooms, case: Case, version: ModelVersion, known: Particulars, entered: Sequence[Verdict]) -> Record:
    """The stored explanation. Raises NotFound, KeyMissing where its receipt is gone."""
    receipt = rooms.receipts.get(case.facts.reasons_receipt)
    explanation: Explanation = Answer(receipt.answer, True).explanations[0]
    spec, method = version.manifest.decision, explanation.method
    factor = NormalDist().inv_cdf(0.5 + explanation.confidence / 2)  # standard errors to each side of the interval
    values = _values(version, known)
    pushes = zip(version.manifest.features, values, explanation.attributions, explanation.standard_errors, strict=True)
    return Record(
        score=case.facts.score,
        threshold=case.facts.threshold,
        adverse_when="at_or_above" if spec is None else spec.adverse_when,
        prediction=explanation.prediction,
        expected_value=explanation.expected_value,
        output=explanation.output,
        class_name=explanation.class_name,
        pushes=tuple(Push(_label(f.name), v, a, None if s is None else factor * s) for f, v, a, s in pushes),
        exact=method.exact,
        confidence=explanation.confidence,
        method=method.name,
        method_version=method.version,
        background=method.background,
        evaluations=method.evaluations,
        additivity_gap=method.additivity_gap,
        receipt=receipt.id,
        model_digest=version.digest,
        answer_digest=sha256(receipt.answer).hexdigest(),
        warnings=tuple(w["detail"] for w in known.warnings),
        history=tuple(_review(v) for v in entered),
    )
