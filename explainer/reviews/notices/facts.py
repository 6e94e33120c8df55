"""What a notice is made of: stored facts of one decision, and who decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from explainer.records import AdverseWhen, OutputSpace, Reference

Value = str | int | float | bool | None
Kind = Literal["uphold", "override", "confirm", "reject", "refer", "information", "withdraw", "blind"]
DECIDING: tuple[Kind, ...] = ("uphold", "override", "confirm")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who decides: settings `notice_sender`, `notice_address`, `notice_contact` and `notice_agency`."""

    name: str = ""
    address: str = ""
    contact: str = ""
    agency: str = ""


@dataclass(frozen=True, slots=True)
class ReasonLine:
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Datum:
    """One item of data that was used."""

    label: str
    value: Value
    description: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What a person entered. In a notice only one that decides; its reviewer is not named."""

    kind: Kind
    at: str
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """One attribution as it was stored: above 0 it moved the model's answer up."""

    label: str
    value: Value
    attribution: float
    half_width: float | None


@dataclass(frozen=True, slots=True)
class Record:
    """What the fuller packet tells beside the notice."""

    score: float
    threshold: float
    adverse_when: AdverseWhen
    prediction: float
    expected_value: float
    output: OutputSpace
    class_name: str | None
    pushes: tuple[Push, ...]
    exact: bool
    confidence: float
    method: str
    method_version: int
    background: str
    evaluations: int
    additivity_gap: float | None
    receipt: str
    model_digest: str
    answer_digest: str
    warnings: tuple[str, ...] = ()
    history: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """One decision. `outcome` and `adverse` are what stands now; `blocked` are the findings that bar a notice.

    `reasons_by` is 'person' where a person decided against the model: `reasons` are then that person's.
    `texts_language` is the language of the owner's words.
    """

    sender: Sender
    outcome: str
    adverse: bool
    decided_at: str
    model: str
    version: str
    purpose: str
    reasons: tuple[ReasonLine, ...]
    data: tuple[Datum, ...]
    reference: str = ""
    order_certain: bool = True
    basis: Reference = "average"
    reasons_by: Literal["model", "person"] = "model"
    review: Review | None = None
    texts_language: str = "en"
    blocked: tuple[str, ...] = ()
    record: Record | None = field(default=None)
