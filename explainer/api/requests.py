"""The request bodies and paths of the API; their descriptions are the API's documentation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from explainer.records import ExplainOptions

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="A registered model's name")]
VersionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", description="A version of the model")]


class ModelPath(BaseModel):
    name: Name


class VersionPath(BaseModel):
    name: Name
    version: VersionName


class ReceiptPath(BaseModel):
    id: Annotated[str, Field(pattern=r"^rcp_[0-9A-Za-z]{26}$", description="A receipt's id")]


class PredictBody(BaseModel):
    """Rows as objects by feature name, or as arrays in schema order."""

    model_config = ConfigDict(extra="forbid")
    instances: Annotated[list[Any], Field(description="Rows, as objects by feature name or arrays in schema order")]


class ExplainBody(PredictBody):
    """What to explain, and how far to go. Settings left out take the model's or the method's default."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)
    method: str = Field("auto", max_length=64, description="auto, shap, lime, or a method's own name")
    output: Literal["probability", "log_odds", "raw"] | None = Field(
        None, description="The output space; default: as the model's manifest says"
    )
    class_name: str | None = Field(
        None,
        alias="class",
        max_length=256,
        description="Which class; `all` gives every one; default: the positive or predicted one",
    )
    background: str = Field("default", max_length=64, description="Which background stands for 'absent'")
    top: int | None = Field(
        None, ge=1, le=10_000, description="Show only so many leading features, the rest as one sum"
    )
    tolerance: float | None = Field(
        None, gt=0, lt=1e300, description="Largest half-width of the confidence interval, in output units"
    )
    max_evaluations: int | None = Field(
        None, ge=1, le=100_000_000, description="Most model rows evaluated for one explained row"
    )
    deadline_ms: int | None = Field(None, ge=1, le=600_000, description="When sampling stops")
    seed: int | None = Field(
        None, ge=0, lt=2**63, description="Default: derived from model, background, row and settings"
    )

    def options(self) -> ExplainOptions:
        return ExplainOptions(**{k: v for k, v in self if k != "instances"})
