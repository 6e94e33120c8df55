"""How a worker makes a version ready: open the model, compare its golden predictions, prepare the methods."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from explainer.errors import ModelRefused
from explainer.records import (
    ExplainOptions,
    Explanation,
    Feature,
    FloatArray,
    Interactions,
    LoadOrder,
    Manifest,
    Notice,
    OpenReport,
    OutputSpace,
)
from explainer.workers.preload import preload

if TYPE_CHECKING:
    from explainer.attribution.engine import Engine
    from explainer.attribution.engines import Engines
    from explainer.attribution.foreign import Familiar
    from explainer.attribution.model import OpenedModel
    from explainer.attribution.ports import Stop, Subject

Told = TypeVar("Told", bound=Explanation | Interactions)

__all__ = ["ServedVersion", "open_version", "preload"]


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """Engines with the manifest that their answers are put in the words of.

    `familiar` tells rows that are unlike the model's own background; None where that has too few rows to tell.
    """

    engines: Engines
    manifest: Manifest
    report: OpenReport
    familiar: Familiar | None = None

    def predict(self, rows: FloatArray) -> FloatArray:
        return self.engines.own.predict(rows)

    def explain(
        self, rows: FloatArray, options: ExplainOptions, stop: Stop | None = None
    ) -> list[tuple[Explanation, ...]]:
        return self._warned(rows, self.engines.against(options.background).explain(rows, options, self.manifest, stop))

    def interact(
        self, rows: FloatArray, options: ExplainOptions, stop: Stop | None = None
    ) -> list[tuple[Interactions, ...]]:
        pairs = self.engines.against(options.background).pairs
        return self._warned(rows, pairs.explain(rows, options, self.manifest, stop))

    def _warned(self, rows: FloatArray, told: Sequence[tuple[Told, ...]]) -> list[tuple[Told, ...]]:
        """The same answers, those about foreign rows with a warning; no model row is evaluated."""
        if self.familiar is None:
            return list(told)
        return [_with(answers, found) for answers, found in zip(told, self.familiar.findings(rows), strict=True)]


def _with(answers: tuple[Told, ...], found: tuple[Notice, ...]) -> tuple[Told, ...]:
    """The answers about one row with what was found about it as warnings."""
    return tuple(replace(told, warnings=(*told.warnings, *found)) for told in answers) if found else answers


def open_version(order: LoadOrder) -> ServedVersion:
    """Open the version of `order`.

    Raises ModelRefused with every reason when the model cannot be opened or does not reproduce its golden predictions.
    """
    from explainer.attribution.engines import Engines
    from explainer.attribution.foreign import familiar
    from explainer.formats import compare_golden, open_model

    _check_file(order)
    model = open_model(order)
    problems = compare_golden(model, order.golden_rows, order.golden_predictions, order.manifest.golden)
    if problems:
        told = "; ".join(problem.detail for problem in problems)
        raise ModelRefused(f"The model does not reproduce its golden predictions: {told}", problems=problems)
    subject = _subject(model, order)
    engines = Engines(subject)
    for options in _first_questions(model, order.manifest):  # tables are made here, before a request waits for them
        engines.own.explain(order.background[:1], options, order.manifest)
    known = familiar(order.background, subject.kinds, subject.names)
    return ServedVersion(engines, order.manifest, _report(model, engines.own), known)


def _first_questions(model: OpenedModel, manifest: Manifest) -> list[ExplainOptions]:
    """The question that most requests ask, and for trees each output space, which has tables of its own."""
    if model.trees is None or manifest.task != "classification":
        return [ExplainOptions()]
    spaces: tuple[OutputSpace, ...] = ("raw", "log_odds", "probability")
    return [ExplainOptions(), *(ExplainOptions(output=space) for space in spaces)]


def _check_file(order: LoadOrder) -> None:
    """Digest the model file here as well, in the process and at the moment that opens it."""
    if not order.manifest.file:
        return  # a remote model: there is nothing but its golden predictions to know it by
    with order.model_path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != order.manifest.sha256:
        raise ModelRefused(f"{order.manifest.file} is not the file that the manifest names: its SHA-256 is {found}.")


def _subject(model: OpenedModel, order: LoadOrder) -> Subject:
    from explainer.attribution.maskers import background
    from explainer.attribution.ports import Subject

    features = order.manifest.features
    return Subject(
        model=model,
        model_digest=order.digest,
        background=background(order.background, order.background_digest),
        kinds=np.array([len(_labels(feature)) for feature in features], dtype=np.int64),
        names=tuple(feature.name for feature in features),
        labels=tuple(_labels(feature) for feature in features),
    )


def _labels(feature: Feature) -> tuple[str, ...]:
    """What each code of a feature stands for; empty for a numeric one."""
    return ("false", "true") if feature.type == "boolean" else feature.categories


def _report(model: OpenedModel, engine: Engine) -> OpenReport:
    return OpenReport(
        library=model.library,
        library_version=model.library_version,
        outputs=model.outputs,
        structure="trees" if model.trees is not None else "linear" if model.linear is not None else "none",
        methods=engine.methods(),
        notices=model.notices,
    )
