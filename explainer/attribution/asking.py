"""Turns the settings of a request into what a method is asked, or refuses the setting by name."""

from __future__ import annotations

from math import isfinite

from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Ask
from explainer.attribution.seeds import LIMIT
from explainer.errors import InvalidOption
from explainer.records import ExplainOptions, Manifest

CONFIDENCE = 0.95


def ask_of(options: ExplainOptions, manifest: Manifest, background: str, began: float) -> Ask:
    """The request's settings without the outputs, which may differ from row to row; the deadline counts from `began`.

    Raises InvalidOption when a number is out of range or the background is not the one that is served.
    """
    if isinstance(options.background, str) and options.background != background:
        raise InvalidOption(f"background: {options.background!r} is not served; this model has {background!r}.")
    if options.tolerance is not None and not (isfinite(options.tolerance) and options.tolerance > 0):
        raise InvalidOption(f"tolerance: {options.tolerance} must be a positive number, in units of the output.")
    for name in ("max_evaluations", "deadline_ms", "separate"):
        given = getattr(options, name)
        if given is not None and given < 1:
            raise InvalidOption(f"{name}: {given} must be at least 1.")
    if options.seed is not None and not 0 <= options.seed < LIMIT:
        raise InvalidOption(f"seed: {options.seed} must lie in 0..{LIMIT - 1}.")
    return Ask(
        space=options.output or manifest.output,
        outputs=(),
        tolerance=options.tolerance,
        max_evaluations=options.max_evaluations,
        deadline=None if options.deadline_ms is None else began + options.deadline_ms / 1000,
        confidence=CONFIDENCE,
        separate=options.separate,
    )


def outputs_of(options: ExplainOptions, manifest: Manifest, model: OpenedModel) -> tuple[int, ...] | None:
    """Which outputs to explain: all of a regression, the class asked for, or the positive one; None: the predicted one.

    A class that is itself named "all" is found by that name. Raises InvalidOption for a class that is not there.
    """
    every = tuple(range(model.outputs))
    if model.task == "regression":
        if options.class_name is not None:
            raise InvalidOption("class: this model is a regression and has no classes; leave the setting out.")
        return every
    wanted = manifest.positive_class if options.class_name is None else options.class_name
    if wanted is None:
        return None
    if wanted in manifest.classes:
        return (manifest.classes.index(wanted),)
    if wanted == "all":
        return every
    listed = ", ".join(manifest.classes)
    raise InvalidOption(f'class: {wanted!r} is not a class of this model; choose one of {listed}, or "all".')


def class_name(manifest: Manifest, model: OpenedModel, output: int) -> str | None:
    """The name of an output: its class, its number where a regression has several, or None."""
    if model.task == "classification":
        return manifest.classes[output]
    return str(output) if model.outputs > 1 else None
