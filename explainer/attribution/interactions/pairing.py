"""Interactions of rows of one subject: settings in, one checked matrix per row and class out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from explainer.attribution import checks
from explainer.attribution.asking import ask_of, class_name, outputs_of
from explainer.attribution.game import in_space
from explainer.attribution.interactions.choosing import Chooser, Interaction, Way
from explainer.attribution.interactions.matrix import Matrix
from explainer.attribution.ports import Ask, Attributions, Stop, Subject
from explainer.attribution.watch import Watch
from explainer.errors import InvalidRows
from explainer.records import ExplainOptions, FloatArray, Interactions, Manifest, MethodReport

SURE = 6.0  # stated errors that a sampled sum may be off by


class Pairing:
    """Not for use by two threads at once. A row's numbers never depend on the other rows."""

    def __init__(self, subject: Subject, watch: Watch) -> None:
        """`watch` looks after the model of `subject`."""
        self._watch = watch
        self._subject = subject
        self._chooser = Chooser(subject)

    def explain(
        self, rows: FloatArray, options: ExplainOptions, manifest: Manifest, stop: Stop | None = None
    ) -> list[tuple[Interactions, ...]]:
        """Interactions of coded rows (n, features), one for each class asked for; `stop` as Engine.explain has it.

        Raises Cancelled when `stop` says so, InvalidOption for a setting that cannot be honoured, InvalidRows for a
        matrix of the wrong width, and ModelFailed when the model or a method answers something that must not be served.
        """
        width = len(self._subject.names)
        if rows.ndim != 2 or rows.shape[1] != width:
            raise InvalidRows(f"Coded rows of shape {rows.shape} do not fit; (rows, {width}) is due.")
        ask = ask_of(options, manifest, self._subject.background.name, time.monotonic())
        ask = replace(ask, named=options.method not in ("auto", "shap"))
        with self._watch.over(stop):
            return [tuple(self._row(row, ask, options, manifest)) for row in np.ascontiguousarray(rows)]

    def _row(self, row: FloatArray, ask: Ask, options: ExplainOptions, manifest: Manifest) -> Iterator[Interactions]:
        self._watch.look()
        model = self._subject.model
        outputs = outputs_of(options, manifest, model)
        if outputs is None:
            leading = in_space(model, "probability", range(model.outputs))(row[None])[0].argmax()
            outputs = (int(leading),)
        ask = replace(ask, outputs=outputs)
        way = self._chooser.way(row, ask, options.method, options.seed)
        matrix = way.matrix()
        prediction = in_space(model, ask.space, ask.outputs)(row[None])[0]
        gaps = self._gaps(matrix, prediction, way)
        against = self._subject.background
        for k, output in enumerate(outputs):
            yield Interactions(
                prediction=float(prediction[k]),
                expected_value=float(matrix.expected[k]),
                class_name=class_name(manifest, model, output),
                output=ask.space,
                values=np.ascontiguousarray(matrix.values[:, :, k]),
                standard_errors=np.ascontiguousarray(matrix.standard_errors[:, :, k]),
                method=MethodReport(
                    name=way.name,
                    version=Interaction.version,
                    reason=way.reason,
                    exact=way.exact,
                    evaluations=matrix.evaluations,
                    seed=way.seed,
                    background=f"{against.name}:{against.digest[:12]}",
                    additivity_gap=float(gaps[k]),
                ),
                confidence=ask.confidence,
                warnings=matrix.notices,
            )

    def _gaps(self, matrix: Matrix, prediction: FloatArray, way: Way) -> FloatArray:
        """How far the whole matrix and the expected value miss the prediction (k,), checked as attributions are."""
        summed = Attributions(
            values=matrix.values.sum(axis=1)[None],
            standard_errors=matrix.total_errors[None],
            expected=matrix.expected[None],
            predictions=prediction[None],
            evaluations=np.array([matrix.evaluations]),
            exact=way.exact,
            additive=True,
        )
        checks.finite(summed, way.name)
        bounds = checks.Bounds(
            floor=1.0 if self._subject.model.task == "classification" else 0.0,
            z=SURE,
            share=checks.PRECISION if self._subject.model.trees is None else checks.SINGLE,
        )
        gaps: FloatArray = checks.additivity(summed, prediction[None], bounds, way.name)[0]
        return gaps
