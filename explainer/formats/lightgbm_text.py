"""LightGBM models in text files, fed with coded rows: categories by their position in the schema."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from explainer.attribution.model import Link, OpenedModel
from explainer.errors import ModelRefused, Problem
from explainer.formats import lightgbm_file
from explainer.formats.classifier import by_margin, with_first_class
from explainer.formats.sizes import too_large
from explainer.formats.structure import inside
from explainer.formats.structure.pipeline import proving_rows
from explainer.formats.unfit import UnfitError
from explainer.records import FloatArray, LoadOrder, Manifest

MAX_BYTES = 512 << 20
_CLASSIFIERS = ("binary", "multiclass", "cross_entropy", "multiclassova")


class LightGBMText:
    name: ClassVar[str] = "lightgbm"
    summary: ClassVar[str] = "LightGBM boosters saved by save_model; the text is checked and written again before use."
    needs_signature: ClassVar[bool] = False
    remote: ClassVar[bool] = False

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        if found := too_large(path, MAX_BYTES):
            return found
        try:
            text = lightgbm_file.read(path.read_bytes())
        except UnfitError as unfit:
            return [unfit.problem]
        found = lightgbm_file.problems(text, manifest)
        if manifest.task == "classification" and text.objective[0] not in _CLASSIFIERS:
            detail = f"The objective '{text.objective[0]}' gives no probabilities; train with binary or multiclass."
            found.append(Problem("model.task", "objective", detail))
        return found

    def open(self, order: LoadOrder) -> OpenedModel:
        import lightgbm

        text = lightgbm_file.read(order.model_path.read_bytes())
        try:
            booster = lightgbm.Booster(model_str=text.rendered())
        except (lightgbm.basic.LightGBMError, ValueError, TypeError) as error:
            raise ModelRefused(f"LightGBM cannot read the model: {error}") from error
        return _opened(booster, text, order)


def _link(objective: list[str], manifest: Manifest) -> Link | None:
    """How probabilities come from the margin; None where only the library knows."""
    if manifest.task == "regression":
        return None
    if objective[0] == "cross_entropy" or (objective[0] == "binary" and "sigmoid:1" in objective):
        return "logistic"
    return "softmax" if objective[0] == "multiclass" else None


def _opened(booster: Any, text: lightgbm_file.Text, order: LoadOrder) -> OpenedModel:
    import lightgbm

    manifest = order.manifest
    link = _link(text.objective, manifest)
    rounds = booster.current_iteration() if text.averaged else 1

    def margin(rows: FloatArray) -> FloatArray:
        """The raw score, which a random forest of LightGBM gives as a sum and turns into a mean before the link."""
        return _shaped(booster.predict(rows, raw_score=True, num_threads=1), len(rows)) / rounds

    def answer(rows: FloatArray) -> FloatArray:
        return _shaped(booster.predict(rows, num_threads=1), len(rows))

    model = OpenedModel(answer, manifest.task, max(1, len(manifest.classes)), "lightgbm", lightgbm.__version__)
    if link is not None:
        model = by_margin(margin, link, manifest, model.library, model.library_version)
    elif model.outputs == 2:
        model = dataclasses.replace(model, predict=lambda rows: with_first_class(answer(rows)))
    return inside.reveal(model, booster, margin, proving_rows(order.background, manifest.features))


def _shaped(answer: Any, rows: int) -> FloatArray:
    return np.asarray(answer, dtype=np.float64).reshape(rows, -1)


FORMAT = LightGBMText()
