"""How a worker makes a version ready: open the model, compare its golden predictions, prepare the methods."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    OpenReport,
)
from explainer.workers.preload import preload

if TYPE_CHECKING:
    from explainer.attribution.engine import Engine
    from explainer.attribution.engines import Engines
    from explainer.attribution.model import OpenedModel
    from explainer.attribution.ports import Subject

__all__ = ["ServedVersion", "open_version", "preload"]


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """Engines with the manifest that their answers are put in the words of."""

    engines: Engines
    manifest: Manifest
    report: OpenReport

    def predict(self, rows: FloatArray) -> FloatArray:
        return self.engines.own.predict(rows)

    def explain(self, rows: FloatArray, options: ExplainOptions) -> list[tuple[Explanation, ...]]:
        return self.engines.against(options.background).explain(rows, options, self.manifest)

    def interact(self, rows: FloatArray, options: ExplainOptions) -> list[tuple[Interactions, ...]]:
        return self.engines.against(options.background).pairs.explain(rows, options, self.manifest)


def open_version(order: LoadOrder) -> ServedVersion:
    """Open the version of `order`.

    Raises ModelRefused with every reason when the model cannot be opened or does not reproduce its golden predictions.
    """
    from explainer.attribution.engines import Engines
    from explainer.formats import compare_golden, open_model

    _check_file(order)
    model = open_model(order)
    problems = compare_golden(model, order.golden_rows, order.golden_predictions, order.manifest.golden)
    if problems:
        told = "; ".join(problem.detail for problem in problems)
        raise ModelRefused(f"The model does not reproduce its golden predictions: {told}", problems=problems)
    engines = Engines(_subject(model, order))
    # Tables are made here, before a request waits for them.
    engines.own.explain(order.background[:1], ExplainOptions(), order.manifest)
    return ServedVersion(engines, order.manifest, _report(model, engines.own))


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
