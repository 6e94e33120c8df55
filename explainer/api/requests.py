"""The request bodies and paths of the API; their descriptions are the API's documentation."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from explainer.records import ExplainOptions
from explainer.usecases.reference import MOST_ROWS

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="A registered model's name")]
VersionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", description="A version of the model")]


OPTIONS = frozenset(f.name for f in dataclasses.fields(ExplainOptions))
LONGEST_NAME = 64


def _background(given: Any) -> Any:
    if isinstance(given, str) and len(given) <= LONGEST_NAME:
        return given
    if isinstance(given, dict) and set(given) == {"rows"} and isinstance(given["rows"], list):
        return given
    raise PydanticCustomError("background", 'Send "default", or {{"rows": [row, ...]}} with rows as in `instances`')


Background = Annotated[
    Any,
    AfterValidator(_background),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": LONGEST_NAME},
                {
                    "type": "object",
                    "properties": {"rows": {"type": "array", "items": {}, "minItems": 1, "maxItems": MOST_ROWS}},
                    "required": ["rows"],
                    "additionalProperties": False,
                },
            ],
            "default": "default",
            "description": "Which background stands for 'absent': the model's own, or rows that the request brings "
            "(one is a baseline, several are a cohort)",
        }
    ),
]


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


class SettingsBody(PredictBody):
    """What every kind of explanation may be told; settings left out take the model's or the method's default."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)
    output: Literal["probability", "log_odds", "raw"] | None = Field(
        None, description="The output space; default: as the model's manifest says"
    )
    class_name: str | None = Field(
        None,
        alias="class",
        max_length=256,
        description="Which class; `all` gives every one; default: the positive or predicted one",
    )
    background: Background = "default"
    max_evaluations: int | None = Field(
        None, ge=1, le=100_000_000, description="Most model rows evaluated for one explained row"
    )
    seed: int | None = Field(
        None, ge=0, lt=2**63, description="Default: derived from model, background, row and settings"
    )

    def options(self) -> ExplainOptions:
        """The settings; rows that stand for the background are `background_rows`, still to be checked."""
        given = {k: v for k, v in self if k in OPTIONS}
        return ExplainOptions(**given | ({} if isinstance(self.background, str) else {"background": "default"}))

    def background_rows(self) -> list[Any] | None:
        """The rows that the request brings as its background, as they were sent; None where it names one."""
        return None if isinstance(self.background, str) else self.background["rows"]


class ExplainBody(SettingsBody):
    """What to explain, and how far to go."""

    method: str = Field("auto", max_length=64, description="auto, shap, lime, or a method's own name")
    top: int | None = Field(
        None, ge=1, le=10_000, description="Show only so many leading features, the rest as one sum"
    )
    tolerance: float | None = Field(
        None, gt=0, lt=1e300, description="Largest half-width of the confidence interval, in output units"
    )
    deadline_ms: int | None = Field(None, ge=1, le=600_000, description="When sampling stops")
    separate: int | None = Field(
        None, ge=1, le=10_000, description="Sample until the order of so many leading features is beyond doubt"
    )
    subject: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Your reference of the person whom all rows are about: their receipts can then be erased together",
    )


class InteractBody(SettingsBody):
    """Of which rows to say which features act together."""

    method: Literal["auto", "linear", "tree", "exact", "permutation"] = Field(
        "auto", description="How the interactions are got; auto takes the first that fits"
    )
    top: int = Field(20, ge=1, le=10_000, description="How many leading pairs are shown, the rest as one sum")


class ImportanceBody(ExplainBody):
    """Which rows to summarise."""

    points: bool = Field(False, description="Send every row's attributions and values along, for a beeswarm")
