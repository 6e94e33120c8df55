"""Reads the `[[features]]` of a manifest: the schema of a row."""

from __future__ import annotations

from typing import Any, cast

from explainer.errors import Problem
from explainer.records import Changes, Feature, FeatureType, Reason
from explainer.registry.section import Section

TYPES = ("number", "integer", "category", "boolean")
CHANGES = ("any", "up", "down")
MOST_FEATURES = 2000
MOST_CATEGORIES = 10_000
LONGEST_NAME = 128


def read_features(root: Section, problems: list[Problem]) -> tuple[Feature, ...]:
    """Return the features in the order of the manifest, which is the order of a coded row's columns."""
    tables = _tables(root)
    features = tuple(_feature(Section(table, f"features[{i}]", problems)) for i, table in enumerate(tables))
    seen: dict[str, int] = {}
    for i, feature in enumerate(features):
        if feature.name and seen.setdefault(feature.name, i) != i:
            first = seen[feature.name]
            detail = f"{feature.name!r} is the name of features[{first}] already; every name may stand once."
            problems.append(Problem(f"features[{i}].name", "duplicate", detail))
    return features


def _tables(root: Section) -> list[dict[str, Any]]:
    tables = root.tables("features")
    if len(tables) > MOST_FEATURES:
        root.note("features", "too-many", f"There are {len(tables)} features; at most {MOST_FEATURES} are served.")
        return []
    return tables


def _feature(section: Section) -> Feature:
    kind = section.text("type")
    if kind == "text":
        section.note("type", "not-supported", "Free text is not supported as a feature yet; leave the feature out.")
    elif kind:
        section.choice("type", TYPES)
    feature = Feature(
        name=_name(section),
        type=cast(FeatureType, kind),
        categories=section.names("categories", most=MOST_CATEGORIES),
        min=section.number("min", None),
        max=section.number("max", None),
        nullable=section.flag("nullable", False),
        description=section.text("description", ""),
        protected=section.flag("protected", False),
        mutable=section.flag("mutable", True),
        reason=_reason(section),
        group=section.text("group", "") or None,
        step=section.number("step", None),
        changes=cast(Changes, section.choice("changes", CHANGES, "any")),
    )
    section.close()
    _check(feature, section)
    _check_changes(feature, section)
    return feature


def _name(section: Section) -> str:
    name = section.text("name", most=LONGEST_NAME)
    if name and (not name.isprintable() or name != name.strip()):
        section.note("name", "name", "A feature's name has no control characters and no blanks around it.")
    return name


def _reason(section: Section) -> Reason | None:
    if not section.has("reason"):
        return None
    texts = section.table("reason")
    reason = Reason(texts.text("increases"), texts.text("decreases"))
    texts.close()
    return reason


def _check(feature: Feature, section: Section) -> None:
    if feature.type == "category" and not feature.categories and not section.has("categories"):
        section.note("categories", "required", "A category feature lists its categories; add categories = [...].")
    elif feature.type == "category" and not feature.categories:
        section.note("categories", "empty", "The list of categories is empty; list every value the model knows.")
    if feature.type in ("number", "integer", "boolean") and feature.categories:
        section.note("categories", "not-allowed", f"A feature of type {feature.type} has no categories; remove them.")
    for key in ("min", "max"):
        if feature.type in ("category", "boolean") and section.has(key):
            section.note(key, "not-allowed", f"{key} is for numbers and integers, not for {feature.type}; remove it.")
    if feature.min is not None and feature.max is not None and feature.min > feature.max:
        section.note("min", "range", f"min {feature.min:g} is greater than max {feature.max:g}; swap or mend them.")


def _check_changes(feature: Feature, section: Section) -> None:
    """What is said of how a value may change has to fit its type, and to be said of one that may change at all."""
    if feature.type in ("category", "boolean") and section.has("step"):
        section.note("step", "not-allowed", f"step is for numbers and integers, not for {feature.type}; remove it.")
    elif feature.step is not None and feature.step <= 0:
        section.note("step", "range", f"step {feature.step:g} must be above 0; `changes` says in which direction.")
    elif feature.type == "integer" and feature.step is not None and not feature.step.is_integer():
        section.note("step", "range", f"step {feature.step:g} must be a whole number, as the feature is an integer.")
    for key in ("step", "changes"):
        if not feature.mutable and section.has(key):
            detail = f"{key} says how a value changes, but mutable = false says that it does not; remove one of them."
            section.note(key, "not-allowed", detail)
