"""Says in words why a row or a value does not fit the schema, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from explainer.errors import Problem
from explainer.records import Feature
from explainer.registry.nearest import listing, suggestion

WHOLE = 2**53  # beyond it, neighbouring integers are one float64
LARGEST = 3.4028234663852886e38  # float32's largest: many model libraries compute in it
MOST_NAMES = 20
WORDS = {"number": "a number", "integer": "a whole number", "boolean": "true or false", "category": "text"}


def place(row: int, feature: str) -> str:
    """Return where a value stands in a request."""
    return f"instances[{row}].{feature}"


def has_form(instance: Any, named: bool) -> bool:
    """Say whether a row is an object by feature name (`named`) or an array in schema order (not)."""
    return type(instance) is (dict if named else list)


def shape_problems(features: Sequence[Feature], i: int, instance: Any, named: bool) -> list[Problem]:
    """Return what is wrong with row i as a whole: its form, its length, its names."""
    where = f"instances[{i}]"
    if not has_form(instance, named) and isinstance(instance, dict | list):
        detail = "Rows must be all objects or all arrays; this one differs from the first."
        return [Problem(where, "mixed-forms", detail)]
    if not has_form(instance, named):
        detail = f"A row is an object by feature name or an array in schema order, not {_kind(instance)}."
        return [Problem(where, "type", detail)]
    return _name_problems(features, where, instance) if named else _length_problems(features, where, instance)


def cell_problem(feature: Feature, value: Any) -> tuple[str, str]:
    """Return the rule that `value` breaks and a sentence; only for values that do not fit."""
    if value is None:
        return "null", f"null is not allowed for {feature.name}; send {_wanted(feature)}."
    if isinstance(value, dict | list):
        return "nested", f"A value is needed, not {_kind(value)}; send {_wanted(feature)}."
    if feature.type == "category":
        return _category_problem(feature, value)
    if isinstance(value, str):
        return _text_problem(feature, value)
    if feature.type == "boolean" or not _is_number(value):
        return "type", f"{_shown(value)} is {_kind(value)}; send {_wanted(feature)}."
    return _number_problem(feature, value)


def _length_problems(features: Sequence[Feature], where: str, instance: list[Any]) -> list[Problem]:
    if len(instance) == len(features):
        return []
    detail = f"The array has {len(instance)} values; the schema has {len(features)} features, in this order: "
    return [Problem(where, "length", f"{detail}{listing([f.name for f in features])}.")]


def _name_problems(features: Sequence[Feature], where: str, instance: dict[Any, Any]) -> list[Problem]:
    known = {feature.name: feature for feature in features}
    absent = [feature for feature in features if feature.name not in instance]
    names = [feature.name for feature in absent]
    found = []
    for name in [n for n in instance if n not in known][:MOST_NAMES]:
        shown = str(name)[:60]
        detail = f"{shown!r} is not a feature of this model; remove it.{suggestion(shown, names or known)}"
        found.append(Problem(f"{where}.{shown}", "unknown-feature", detail))
    for feature in absent[:MOST_NAMES]:
        null = " or null" if feature.nullable else ""
        detail = f"{feature.name} is missing; send {_wanted(feature)}{null}."
        found.append(Problem(f"{where}.{feature.name}", "missing-feature", detail))
    return found


def _category_problem(feature: Feature, value: Any) -> tuple[str, str]:
    allowed = listing(feature.categories, word=value if isinstance(value, str) else "")
    if isinstance(value, str):
        return "category", f"{_shown(value)} is not a category of {feature.name}; send one of {allowed}."
    return "type", f"{_shown(value)} is {_kind(value)}; send one of {allowed} as text."


def _text_problem(feature: Feature, value: str) -> tuple[str, str]:
    if feature.type == "boolean":
        return "type", f"{_shown(value)} is text; send true or false without quotes."
    try:
        float(value)
    except ValueError:
        return "type", f"{_shown(value)} is text; send {_wanted(feature)}."
    return "type", f"{_shown(value)} is a number in quotes; send it without them."


def _number_problem(feature: Feature, value: int | float) -> tuple[str, str]:
    shown = _shown(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "not-finite", f"{shown} is not a finite number; send {_wanted(feature)}."
    if feature.type == "integer" and isinstance(value, float) and not value.is_integer():
        return "whole", f"{shown} has a fraction; {feature.name} takes whole numbers only."
    if (isinstance(value, int) or feature.type == "integer") and abs(value) > WHOLE:
        return "too-large", f"{shown} is beyond 2^53 and would be rounded; send a smaller whole number."
    return _range_problem(feature, value)


def _range_problem(feature: Feature, value: int | float) -> tuple[str, str]:
    if abs(value) > LARGEST:
        return "too-large", f"{_shown(value)} is beyond {LARGEST:.4g}, the largest number that models can take."
    if feature.min is not None and value < feature.min:
        return "min", f"{_shown(value)} is below the smallest allowed value {feature.min:g} of {feature.name}."
    if feature.max is not None and value > feature.max:
        return "max", f"{_shown(value)} is above the largest allowed value {feature.max:g} of {feature.name}."
    return "type", f"{_shown(value)} is of the type {type(value).__name__}; send {_wanted(feature)}."


def _wanted(feature: Feature) -> str:
    if feature.type == "category":
        return f"one of {listing(feature.categories)}"
    return WORDS[feature.type]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", bool: "true or false", str: "text", type(None): "null"}
    if type(value) in kinds:
        return kinds[type(value)]
    return "a number" if _is_number(value) else type(value).__name__


def _shown(value: Any) -> str:
    """Repeat a value as the caller wrote it, cut to what fits a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else f"{value[:40]!r}..."
    if isinstance(value, int) and abs(value) > 10**30:
        return "A huge number"
    return str(value)[:60]
