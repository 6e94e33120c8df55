"""The shapes of the answers, for the OpenAPI document; routes send the same fields as plain JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ProblemItem(BaseModel):
    where: str
    rule: str
    detail: str


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(json_schema_extra={"description": "application/problem+json"})
    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    problems: list[ProblemItem] = []


class ModelRef(BaseModel):
    name: str
    version: str
    digest: str


class NoticeItem(BaseModel):
    code: str
    detail: str | None = None


class WithheldItem(BaseModel):
    what: str
    detail: str


class OtherItem(BaseModel):
    """The features that were not shown, as one sum; the error bounds that of the sum."""

    features: int
    attribution: float
    standard_error: float | None


class AttributionItem(BaseModel):
    """`value` is absent for roles that do not see rows."""

    feature: str
    value: float | int | str | bool | None = None
    attribution: float | None
    standard_error: float | None


class MethodItem(BaseModel):
    name: str
    version: int
    reason: str
    exact: bool
    evaluations: int
    seed: int | None
    background: str
    additivity_gap: float | None
    stopped: str | None


class LimeRule(BaseModel):
    rule: str
    weight: float


class LimeItem(BaseModel):
    intercept: float
    local_r2: float
    samples: int
    kernel_width: float
    stability: float | None = None
    rules: list[LimeRule] | None = None


class ReasonItem(BaseModel):
    """What is shown where sizes are not: leading features in order, or the owner's words alone."""

    feature: str | None = None
    value: float | int | str | bool | None = None
    direction: str | None = None
    text: str | None = None
    protected: bool | None = None


class ExplanationItem(BaseModel):
    """`attributions` is empty and `reasons` there for roles that do not see sizes."""

    model_config = ConfigDict(populate_by_name=True)
    row: int
    prediction: float | None
    expected_value: float | None
    class_name: str | None = Field(alias="class")
    output: str
    attributions: list[AttributionItem]
    reasons: list[ReasonItem] | None = None
    method: MethodItem
    confidence: float
    cache: str
    warnings: list[NoticeItem]
    withheld: list[WithheldItem]
    other: OtherItem | None = None
    receipt: str
    lime: LimeItem | None = None


class ExplainAnswer(BaseModel):
    model: ModelRef
    request_id: str
    explanations: list[ExplanationItem]


class AgreementItem(BaseModel):
    row: int
    top: int
    leading: float
    signs: float | None
    rank_correlation: float | None


class CompareAnswer(BaseModel):
    model: ModelRef
    request_id: str
    shap: list[ExplanationItem]
    lime: list[ExplanationItem]
    agreement: list[AgreementItem]


class PairItem(BaseModel):
    """The Shapley interaction index of two features."""

    features: list[str]
    interaction: float
    standard_error: float


class OtherPairs(BaseModel):
    """The pairs that were not shown, as one sum; the error bounds that of the sum."""

    pairs: int
    interaction: float
    standard_error: float


class MainEffectItem(BaseModel):
    """The attribution less half of each of the feature's interactions."""

    feature: str
    main_effect: float
    standard_error: float
    attribution: float


class InteractionItem(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    row: int
    prediction: float
    expected_value: float
    class_name: str | None = Field(alias="class")
    output: str
    interactions: list[PairItem]
    other: OtherPairs
    main_effects: list[MainEffectItem]
    method: MethodItem
    confidence: float
    warnings: list[NoticeItem]
    withheld: list[WithheldItem]


class InteractAnswer(BaseModel):
    model: ModelRef
    request_id: str
    interactions: list[InteractionItem]


class ImportanceFeature(BaseModel):
    """`values` and `attributions` are there where points were asked for, one for each of `rows`."""

    feature: str
    mean_absolute: float
    standard_error: float | None
    mean: float
    mean_standard_error: float | None
    share_positive: float
    sampling_error: float | None
    values: list[float | int | str | bool | None] | None = None
    attributions: list[float] | None = None


class ImportanceItem(BaseModel):
    """`methods` and `warnings` count the rows that they concern."""

    model_config = ConfigDict(populate_by_name=True)
    class_name: str | None = Field(alias="class")
    output: str
    rows: list[int]
    expected_value: float
    mean_prediction: float
    features: list[ImportanceFeature]
    background: str
    exact: bool
    methods: dict[str, int]
    evaluations: int
    warnings: dict[str, int]
    withheld: list[WithheldItem]


class ImportanceAnswer(BaseModel):
    model: ModelRef
    request_id: str
    importance: list[ImportanceItem]


class PredictAnswer(BaseModel):
    model: ModelRef
    request_id: str
    predictions: list[dict[str, Any]]


class ModelsAnswer(BaseModel):
    request_id: str
    models: list[dict[str, Any]]


class ModelAnswer(BaseModel):
    request_id: str
    model: dict[str, Any]


class ReceiptAnswer(BaseModel):
    request_id: str
    receipt: dict[str, Any]


class ReplayAnswer(BaseModel):
    request_id: str
    receipt: str
    identical: bool
    largest_difference: float


class VerifyAnswer(BaseModel):
    request_id: str
    ok: bool
    entries: int
    head: str | None
    first_bad: int | None
    detail: str
    root: str | None
