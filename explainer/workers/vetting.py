"""A version that opens and answers is tested for being another model to explainers than it is to people."""

from __future__ import annotations

import secrets
import time

import numpy as np

from explainer.attribution.model import IntArray
from explainer.attribution.vetting.scaffold import (
    FEWEST_REAL,
    FITTED,
    LEAST_FITTED,
    SHARE,
    Gap,
    gaps,
)
from explainer.errors import ExplainerError
from explainer.records import Feature, FloatArray, LoadOrder, Notice
from explainer.workers import codec
from explainer.workers.answers import checked_predictions
from explainer.workers.client import Worker

VETTING_S = 30.0  # within which a version is tested
CHUNK = 500  # rows of one call
CALLS = 2 * (1 + 1 / SHARE)  # model rows for each row that the surrogate is fitted to


class _Asked:
    """The model of a worker as a function of coded rows, which counts how long it takes."""

    def __init__(self, worker: Worker, outputs: int) -> None:
        self._worker, self._outputs = worker, outputs
        self._until = time.monotonic() + VETTING_S
        self._rows, self._seconds = 0, 0.0

    def __call__(self, rows: FloatArray) -> FloatArray:
        return np.concatenate([self._call(rows[i : i + CHUNK]) for i in range(0, len(rows), CHUNK)])

    def affordable(self) -> int:
        """Rows that are likely to be answered in the time that is left."""
        each = self._seconds / max(self._rows, 1)
        return int(min((self._until - time.monotonic()) / max(each, 1e-9), 1e9))

    def _call(self, rows: FloatArray) -> FloatArray:
        began = time.monotonic()
        answer = self._worker.ask(codec.predict_frame(rows), self._until)
        found = self._worker.understand(codec.read_predictions, answer)
        self._rows, self._seconds = self._rows + len(rows), self._seconds + time.monotonic() - began
        return checked_predictions(found, len(rows), self._outputs)


def vetted(worker: Worker, order: LoadOrder, outputs: int) -> tuple[Notice, ...]:
    """Return what a person has to know before the version is served, within VETTING_S; raises nothing.

    The perturbed rows are drawn anew each time: nobody can prepare a model for those that it will be asked about.
    """
    background = order.background
    if len(np.unique(background, axis=0)) < FEWEST_REAL or background.shape[1] < 2:
        return ()
    asked, seed = _Asked(worker, outputs), secrets.randbits(32)
    try:
        asked(background)
        fitted = min(FITTED, int(asked.affordable() / CALLS) - len(background) - len(order.golden_rows))
        if fitted < LEAST_FITTED:
            return (_unfinished(f"the model is so slow that only {max(fitted, 0)} rows of each kind could be tried"),)
        found = gaps(asked, background, order.golden_rows, kinds_of(order.manifest.features), fitted, seed)
    except ExplainerError as error:
        return (_unfinished(error.detail),)
    return _told(found, seed)


def kinds_of(features: tuple[Feature, ...]) -> IntArray:
    """How many categories each feature has, 0 for a number."""
    return np.array([2 if f.type == "boolean" else len(f.categories) for f in features], dtype=np.int64)


def _told(found: tuple[Gap, ...], seed: int) -> tuple[Notice, ...]:
    if suspicious := [gap for gap in found if gap.suspicious]:
        worst = max(suspicious, key=lambda gap: gap.background)
        detail = (
            "The model answers real rows otherwise than the rows that explanations ask it about: a surrogate of its "
            f"answers on perturbed rows ({worst.kind}) is off by {worst.perturbed:.3f} on such rows and by "
            f"{worst.background + worst.perturbed:.3f} on background rows (seed {seed}). Its explanations may show "
            "another model than the one that decides."
        )
        return (Notice("scaffold", detail),)
    if by_heart := [gap for gap in found if gap.by_heart]:
        worst = max(by_heart, key=lambda gap: gap.background)
        detail = (
            "The model answers its background rows otherwise than all other rows, golden rows among them: it seems to "
            f"know training rows by heart (by {worst.background:.2f} on {worst.kind}, seed {seed}). Its answers "
            "may tell who was in the training data."
        )
        return (Notice("by-heart", detail),)
    return ()


def _unfinished(why: str) -> Notice:
    detail = f"It could not be tested whether explanations show the model that decides, within {VETTING_S:g} s: {why}."
    return Notice("vetting-unfinished", detail)
