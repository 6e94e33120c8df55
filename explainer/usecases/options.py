"""Refuses settings that a model cannot honour, before anything is computed."""

from __future__ import annotations

from explainer.errors import InvalidOption, Problem
from explainer.records import ExplainOptions, Manifest, OpenReport

FAMILIES = ("auto", "shap", "lime")


def check_options(options: ExplainOptions, manifest: Manifest, report: OpenReport) -> None:
    """Raise InvalidOption naming the setting and what would be accepted."""
    methods = (*FAMILIES, *(m for m in sorted(report.methods) if m not in FAMILIES))
    _one_of("method", options.method, methods)
    if isinstance(options.background, str):
        _one_of("background", options.background, ("default",))
    spaces = ("raw",) if manifest.task == "regression" else ("probability", "log_odds", "raw")
    if options.output is not None:
        _one_of("output", options.output, spaces)
    if options.class_name is not None:
        if manifest.task == "regression":
            raise InvalidOption("class: this is a regression model, leave `class` out.")
        _one_of("class", options.class_name, (*manifest.classes, "all"))


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        listed = ", ".join(allowed)
        problem = Problem(name, "one-of", f"{value!r} is not one of: {listed}")
        raise InvalidOption(
            f"{name}: {value!r} is not possible for this model; choose one of: {listed}.", problems=[problem]
        )
