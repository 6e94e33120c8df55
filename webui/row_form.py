"""A row as a form: what was typed becomes JSON values that the schema then judges."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explainer.errors import Problem
from explainer.records import Feature

PREFIX = "row-"
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Field:
    """One input: the feature, what stands in it, and what is wrong with that."""

    feature: Feature
    text: str
    problem: str | None = None


def typed_row(features: Sequence[Feature], form: Mapping[str, str]) -> dict[str, Any]:
    """JSON values of the typed texts; a text that is no number stays text, so that the schema can refuse it."""
    return {f.name: _value(f, form.get(PREFIX + f.name, "").strip()) for f in features}


def fields(features: Sequence[Feature], row: Mapping[str, Any] | None, problems: Sequence[Problem] = ()) -> list[Field]:
    """The form's inputs, filled from `row`, with each field's own problem beside it."""
    found = {p.where.partition(".")[2]: p.detail for p in problems}
    return [Field(f, _text((row or {}).get(f.name)), found.get(f.name)) for f in features]


def _value(feature: Feature, text: str) -> Any:
    if text == "":
        return None
    if feature.type == "category":
        return text
    if feature.type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if not NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return text
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
