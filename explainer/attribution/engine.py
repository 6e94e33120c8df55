"""Explains rows of one opened model: settings in, one checked explanation per row and class out."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from explainer.attribution import checks, seeds
from explainer.attribution.asking import ask_of, class_name, outputs_of
from explainer.attribution.chooser import Choice, choose
from explainer.attribution.game import SPACES, Game, in_blocks, in_space
from explainer.attribution.goal import with_doubts
from explainer.attribution.interactions.pairing import Pairing
from explainer.attribution.methods import found
from explainer.attribution.model import BoolArray, OpenedModel
from explainer.attribution.noise import with_noise
from explainer.attribution.pace import in_time
from explainer.attribution.ports import Ask, Attributions, Background, Method, Prepared, Stop, Subject
from explainer.attribution.uncertainty import two_sided
from explainer.attribution.watch import Watch
from explainer.errors import InvalidRows
from explainer.records import ExplainOptions, Explanation, FloatArray, Manifest, MethodReport, Notice, OutputSpace

COARSE = Notice(
    "single-precision",
    "The model's library adds up in single precision; the attributions add up to the exact sum, and additivity_gap "
    "says how far the prediction is from it.",
)
KEPT = 32  # prepared methods kept; the least recently used go first


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method said of the rows it was given, with the model's own predictions, gaps and where they are coarse."""

    given: Attributions
    predictions: FloatArray
    gaps: FloatArray | None
    coarse: BoolArray
    noisy: BoolArray  # (rows,)
    seeds: Sequence[int]


class Engine:
    """Predicts and explains coded rows (n, features) of one subject. Not for use by two threads at once."""

    def __init__(self, subject: Subject, methods: Sequence[Method] | None = None) -> None:
        """`methods` defaults to everything found in `attribution/methods/`."""
        self._watch = Watch()
        self._subject = replace(subject, model=self._watch.on(subject.model))
        self._model = self._subject.model
        self._answers = _told_by(self._model)
        self.pairs = Pairing(self._subject, self._watch)
        self._methods = found() if methods is None else tuple(methods)
        self._prepared: OrderedDict[tuple[str, OutputSpace, tuple[int, ...]], Prepared] = OrderedDict()

    def methods(self) -> dict[str, int]:
        """Name and version of every method that can run on this model, whatever a single row may cost."""
        one = self._subject.background
        probe = replace(self._subject, background=Background(one.rows[:1], np.ones(1), one.digest, one.name))
        spaces: Sequence[OutputSpace] = SPACES if self._model.task == "classification" else ("raw",)
        asks = [Ask(space, (0,), named=True) for space in spaces]
        return {m.name: m.version for m in self._methods if any(m.suits(probe, a, one.rows[0]).fits for a in asks)}

    def predict(self, rows: FloatArray) -> FloatArray:
        """The model's own predictions, shape (n, outputs): probabilities of every class, or regression values."""
        space: OutputSpace = "probability" if self._model.task == "classification" else "raw"
        plain = replace(self._answers, margin=None)
        return self._row_by_row(in_space(plain, space, range(plain.outputs)), self._coded(rows))

    def explain(
        self, rows: FloatArray, options: ExplainOptions, manifest: Manifest, stop: Stop | None = None
    ) -> list[tuple[Explanation, ...]]:
        """One explanation for each row and class asked for; a row's numbers never depend on the other rows.

        `stop` is asked every few milliseconds, between model calls and between rows, whether to give up. Raises
        Cancelled when it says so, InvalidOption for a setting that this model cannot honour, InvalidRows for a matrix
        of the wrong width, ModelFailed when the model or a method answers something that must not be served.
        """
        with self._watch.over(stop):
            return self._explained(rows, options, manifest)

    def _explained(
        self, rows: FloatArray, options: ExplainOptions, manifest: Manifest
    ) -> list[tuple[Explanation, ...]]:
        ask = ask_of(options, manifest, self._subject.background.name, time.monotonic())
        ask = replace(ask, look=self._watch.look)
        values = self._coded(rows)
        explained: dict[int, tuple[Explanation, ...]] = {}
        for choices in self._groups(values, ask, options, manifest):
            places = list(choices)
            answer = self._answer(values[places], choices[places[0]], options.seed)
            for i, place in enumerate(places):
                explained[place] = tuple(self._explanations(answer, i, choices[place], manifest))
        return [explained[i] for i in range(len(values))]

    def _coded(self, rows: FloatArray) -> FloatArray:
        values = np.ascontiguousarray(rows, dtype=np.float64)
        width = len(self._subject.names)
        if values.ndim != 2 or values.shape[1] != width:
            raise InvalidRows(f"Coded rows of shape {values.shape} do not fit; (rows, {width}) is due.")
        return values

    def _row_by_row(self, game: Game, rows: FloatArray) -> FloatArray:
        """Trees answer a row alike in any company; other models' last bits depend on the size of the call."""
        if len(rows) == 0 or self._model.trees is not None:
            return in_blocks(game, rows)
        return np.concatenate([game(row[None]) for row in rows])

    def _groups(
        self, rows: FloatArray, ask: Ask, options: ExplainOptions, manifest: Manifest
    ) -> Iterator[dict[int, Choice]]:
        """The rows' places, put together where the same method explains the same outputs."""
        fixed = outputs_of(options, manifest, self._model)
        outputs = [fixed] * len(rows) if fixed is not None else [(int(c),) for c in self.predict(rows).argmax(axis=1)]
        groups: dict[tuple[str, tuple[int, ...]], dict[int, Choice]] = {}
        for i, row in enumerate(rows):
            self._watch.look()
            choice = choose(self._methods, self._subject, replace(ask, outputs=outputs[i]), row, options.method)
            groups.setdefault((choice.method.name, outputs[i]), {})[i] = choice
        yield from groups.values()

    def _answer(self, rows: FloatArray, choice: Choice, seed: int | None) -> Answer:
        method, ask = choice.method, choice.ask
        drawn = [0] * len(rows) if choice.exact else self._seeds(rows, method, ask, seed)
        predictions = self._row_by_row(in_space(self._answers, ask.space, ask.outputs), rows)
        prepared = self._ready(method, ask)
        given = with_doubts(in_time(prepared, rows, drawn, ask, choice.exact, self._watch), ask)
        checks.finite(given, method.name)
        if not given.additive:
            nowhere = np.zeros(predictions.shape, dtype=np.bool_)
            return Answer(given, predictions, None, nowhere, nowhere[:, 0], drawn)
        bounds = checks.Bounds(
            floor=1.0 if self._model.task == "classification" else 0.0,
            z=two_sided(ask.confidence),
            share=checks.PRECISION if self._model.trees is None else checks.SINGLE,
        )
        off, rounding = checks.off(given, predictions), checks.rounding(given, predictions, bounds)
        given, noisy = with_noise(given, in_space(self._model, ask.space, ask.outputs), rows, off, rounding)
        gaps = checks.additivity(given, predictions, bounds, method.name)
        coarse = checks.coarse(given, predictions, gaps, bounds) & ~noisy[:, None]
        return Answer(given, predictions, gaps, coarse, noisy, drawn)

    def _seeds(self, rows: FloatArray, method: Method, ask: Ask, seed: int | None) -> list[int]:
        return [seeds.derived(self._subject, row, method, ask) if seed is None else seed for row in rows]

    def _ready(self, method: Method, ask: Ask) -> Prepared:
        key = (method.name, ask.space, ask.outputs)
        if key not in self._prepared:
            self._prepared[key] = method.prepare(self._subject, ask)
        self._prepared.move_to_end(key)
        while len(self._prepared) > KEPT:
            self._prepared.popitem(last=False)
        return self._prepared[key]

    def _explanations(self, answer: Answer, i: int, choice: Choice, manifest: Manifest) -> Iterator[Explanation]:
        given, ask, background = answer.given, choice.ask, self._subject.background
        for k, output in enumerate(ask.outputs):
            yield Explanation(
                prediction=float(answer.predictions[i, k]),
                expected_value=float(given.expected[i, k]),
                class_name=class_name(manifest, self._model, output),
                output=ask.space,
                attributions=tuple(given.values[i, :, k].tolist()),
                standard_errors=tuple(None if isnan(e) else e for e in given.standard_errors[i, :, k].tolist()),
                method=MethodReport(
                    name=choice.method.name,
                    version=choice.method.version,
                    reason=choice.reason,
                    exact=given.exact and not answer.noisy[i],
                    evaluations=int(given.evaluations[i]),
                    seed=None if given.exact else answer.seeds[i],
                    background=f"{background.name}:{background.digest[:12]}",
                    additivity_gap=None if answer.gaps is None else float(answer.gaps[i, k]),
                    stopped=given.stopped[i] if given.stopped else None,
                ),
                confidence=ask.confidence,
                warnings=(*(given.notices[i] if given.notices else ()), *((COARSE,) if answer.coarse[i, k] else ())),
                lime=given.lime[i][k] if given.lime else None,
            )


def _told_by(model: OpenedModel) -> OpenedModel:
    """The model that says what is predicted: its proven replica where there is one, else itself."""
    if model.replica is None:
        return model
    return replace(model, predict=model.replica.predict, margin=model.replica.margin)
