"""Explains thousands of rows at once: the numbers of `Engine.explain`, to the bit, as arrays."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explainer.attribution.asking import ask_of, class_name, outputs_of
from explainer.attribution.batch import Batch
from explainer.attribution.chooser import Choice, choose
from explainer.attribution.engine import COARSE, Answer, Engine
from explainer.attribution.methods.tree import which_margins
from explainer.attribution.ports import Ask
from explainer.records import ExplainOptions, FloatArray, Manifest, Stopped

NOT_SAMPLED = -1


@dataclass(frozen=True, slots=True)
class Part:
    """What one method said of the rows at `places`, for the outputs in `choice.ask`."""

    places: Sequence[int]
    choice: Choice
    answer: Answer

    def __len__(self) -> int:
        return len(self.places)


def explain_arrays(engine: Engine, rows: FloatArray, options: ExplainOptions, manifest: Manifest) -> Batch:
    """Explain coded rows (n, features), n at least 1; raises what `Engine.explain` raises.

    Where neither the method nor the outputs can differ between rows, the method is chosen once instead of n times.
    """
    ask = ask_of(options, manifest, engine._subject.background.name, time.monotonic())
    values = engine._coded(rows)
    parts = [
        Part(places, choice, engine._answer(values[list(places)], choice, options.seed))
        for places, choice in _groups(engine, values, ask, options, manifest)
    ]
    return _together(parts, len(values), engine, manifest)


def _groups(
    engine: Engine, rows: FloatArray, ask: Ask, options: ExplainOptions, manifest: Manifest
) -> Iterator[tuple[Sequence[int], Choice]]:
    fixed = outputs_of(options, manifest, engine._model)
    if fixed is not None:
        first = choose(engine._methods, engine._subject, replace(ask, outputs=fixed), rows[0], options.method)
        if _for_every_row(engine, first):
            yield range(len(rows)), first
            return
    for choices in engine._groups(rows, ask, options, manifest):
        places = list(choices)
        yield places, choices[places[0]]


def _for_every_row(engine: Engine, choice: Choice) -> bool:
    """Whether this method was chosen without a look at the row: margins of trees and of linear models."""
    return choice.method.name == "linear" or (
        choice.method.name == "tree" and which_margins(engine._model, choice.ask) is not None
    )


def _together(parts: Sequence[Part], rows: int, engine: Engine, manifest: Manifest) -> Batch:
    methods = tuple(dict.fromkeys(part.choice.method.name for part in parts))

    def spread(pieces: Sequence[Any]) -> Any:
        out = np.empty((rows, *np.shape(pieces[0])[1:]), dtype=np.asarray(pieces[0]).dtype)
        for part, piece in zip(parts, pieces, strict=True):
            out[list(part.places)] = piece
        return out

    return Batch(
        space=parts[0].choice.ask.space,
        labels=tuple(class_name(manifest, engine._model, output) for output in range(engine._model.outputs)),
        outputs=spread([np.tile(np.array(p.choice.ask.outputs, dtype=np.int64), (len(p), 1)) for p in parts]),
        predictions=spread([p.answer.predictions for p in parts]),
        expected=spread([p.answer.given.expected for p in parts]),
        values=spread([p.answer.given.values for p in parts]),
        errors=spread([p.answer.given.standard_errors for p in parts]),
        gaps=spread([_gaps(p) for p in parts]),
        evaluations=spread([p.answer.given.evaluations for p in parts]),
        seeds=spread([np.array(_seeds(p), dtype=np.int64) for p in parts]),
        exact=spread([np.full(len(p), p.answer.given.exact) for p in parts]),
        methods=methods,
        method=spread([np.full(len(p), methods.index(p.choice.method.name)) for p in parts]),
        r2=spread([_r2(p) for p in parts]),
        notices=tuple(sorted((notice for p in parts for notice in _notices(p)), key=lambda notice: notice[:2])),
        stopped=_stopped(parts, rows),
    )


def _stopped(parts: Sequence[Part], rows: int) -> tuple[Stopped | None, ...]:
    rules = {i: rule for p in parts for i, rule in zip(p.places, p.answer.given.stopped or (), strict=False)}
    return tuple(rules.get(i) for i in range(rows)) if rules else ()


def _gaps(part: Part) -> FloatArray:
    gaps = part.answer.gaps
    return np.full(part.answer.predictions.shape, np.nan) if gaps is None else gaps


def _seeds(part: Part) -> Sequence[int]:
    return [NOT_SAMPLED] * len(part) if part.answer.given.exact else part.answer.seeds


def _r2(part: Part) -> FloatArray:
    if not part.answer.given.lime:
        return np.full(part.answer.predictions.shape, np.nan)
    return np.array([[report.local_r2 for report in row] for row in part.answer.given.lime])


def _notices(part: Part) -> Iterator[tuple[int, int, str]]:
    """In the order of rows and outputs, those of the method before ours."""
    told, coarse = part.answer.given.notices, part.answer.coarse
    if not told and not coarse.any():
        return
    for i, place in enumerate(part.places):
        for j in range(coarse.shape[1]):
            yield from ((place, j, notice.code) for notice in (told[i] if told else ()))
            if coarse[i, j]:
                yield place, j, COARSE.code
