"""What the routes of decision review take, and what they answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from explainer.api.answers import AttributionItem, ModelRef, NoticeItem, WithheldItem
from explainer.api.requests import Name, VersionName
from explainer.reviews.wanted import MOST, ORDERS, SHOWS

Who = Annotated[str, Field(max_length=120)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DecisionPath(BaseModel):
    id: Annotated[str, Field(pattern=r"^dec_[0-9A-Z]{26}$", description="A decision's id")]


class DecisionBody(Strict):
    """A decision to be reviewed: the row it was made on, and what was decided where that is not the model's word."""

    model: Name
    version: VersionName | None = None
    instance: Annotated[Any, Field(description="The row, as an object by feature name or an array in schema order")]
    outcome: str | None = Field(
        None, max_length=200, description="What was decided, in the words of the manifest; default: as the model says"
    )
    threshold: float | None = Field(None, gt=-1e300, lt=1e300, description="Default: the manifest's")
    external_id: str = Field("", max_length=200, description="Your own name of the case; once for each model")
    subject: str = Field("", max_length=200, description="Your reference of whom it is about, for erasure and access")
    due_days: int | None = Field(None, ge=1, le=3650, description="Days until a person should have decided")
    blind: bool | None = Field(None, description="Whether a reviewer judges before the model's answer is shown")


class DecisionQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    show: str = Field("waiting", max_length=20, description=f"One of {', '.join(SHOWS)}")
    model: Name | None = None
    flag: str | None = Field(None, max_length=40, description="Only those with this reason to look")
    adverse: bool | None = None
    assignee: Who | None = Field(None, description="A person's id, `me`, or `-` for nobody")
    external_id: str = Field("", max_length=200, description="Your own name of the case; `model` has to be given too")
    sort: str = Field("priority", max_length=20, description=f"One of {', '.join(ORDERS)}")
    limit: int = Field(50, ge=1, le=MOST)
    offset: int = Field(0, ge=0, le=1_000_000_000)


class VerdictBody(Strict):
    """What a person decides about it; `entries` of the decision as it was read, so that nobody overlooks another."""

    kind: Literal["uphold", "override", "refer", "information", "confirm", "reject", "withdraw", "blind"]
    reason: str = Field("", max_length=200, description="One of the decision's `verdict_reasons`")
    text: str = Field("", max_length=4000, description="In one's own words; needed for all but uphold and confirm")
    entries: int | None = Field(None, ge=0, le=1_000_000)
    assignee: Who = Field("", description="For refer: a person's id or name")
    outcome: str = Field("", max_length=200, description="For blind: what one would decide")


class AssignBody(Strict):
    assignee: Who = Field(description="A person's id or name, `me`, or an empty text for nobody")


class NoticeQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal["json", "html", "pdf"] = Field("json", description="json, or the letter as html or pdf")
    language: str | None = Field(None, max_length=8, description="A language that notices are written in")
    jurisdiction: str | None = Field(None, max_length=40, description="Default: the manifest's")
    packet: bool = Field(False, description="The fuller packet for the subject")


class ReasonItem(BaseModel):
    """`attribution` above 0 pushes toward the adverse outcome; sizes are absent where the role does not see them."""

    code: str
    text: str
    mapped: bool
    protected: bool
    members: list[str]
    direction: str
    attribution: float | None = None
    standard_error: float | None = None


class DecisionItem(BaseModel):
    id: str
    created_at: str
    model: ModelRef
    external_id: str | None
    score: float | None
    threshold: float | None
    outcome: str | None
    model_outcome: str | None
    adverse: bool | None
    status: str
    assignee: str
    entries: int
    flags: list[str]
    priority: int
    due_at: str
    decided_at: str | None
    receipts: dict[str, str]
    reasons: list[ReasonItem] | None
    order_certain: bool | None
    blocked: list[NoticeItem]
    warnings: list[NoticeItem]
    hidden: bool
    withheld: list[WithheldItem]


class VerdictItem(BaseModel):
    number: int
    at: str
    principal: str
    name: str
    kind: str
    reason: str
    text: str
    seconds: int | None
    status: str
    outcome: str


class DecisionAnswer(BaseModel):
    request_id: str
    decision: DecisionItem


class ExplanationItem(BaseModel):
    model_config = ConfigDict(extra="allow")
    attributions: list[AttributionItem]


class CaseAnswer(DecisionAnswer):
    final_outcome: str | None
    instance: dict[str, Any] | None
    explanation: ExplanationItem | None
    lime: ExplanationItem | None
    agreement: dict[str, Any] | None
    stability: dict[str, Any] | None
    verdicts: list[VerdictItem]
    possible: list[str]
    verdict_reasons: list[str]
    lost: list[NoticeItem]


class QueueAnswer(BaseModel):
    request_id: str
    decisions: list[DecisionItem]
    count: int
    flags: dict[str, int]


class VerdictAnswer(DecisionAnswer):
    verdict: VerdictItem


class NoticeAnswer(BaseModel):
    request_id: str
    notice: dict[str, Any]
