"""One row sampled to its end, and the answers of several rows put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explainer.attribution.maskers import differs
from explainer.attribution.ports import Ask, Attributions
from explainer.attribution.sampled.blocks import Task, block
from explainer.attribution.sampled.course import Course
from explainer.attribution.sampled.pooled import Pooled
from explainer.attribution.walks import steps
from explainer.records import FloatArray, Notice, Stopped


@dataclass(frozen=True, slots=True)
class Sampled:
    """One row's answer: values and errors (features, outputs), prediction (outputs,), model rows, how it ended."""

    values: FloatArray
    standard_errors: FloatArray
    prediction: FloatArray
    evaluations: int
    notices: tuple[Notice, ...]
    stopped: Stopped


def sampled(task: Task, seed: int, ask: Ask, seconds: Callable[[int], float]) -> Sampled:
    """Blocks of pairs until the course ends; `seconds` says how long so many model rows are likely to take."""
    differing = differs(task.row, task.against.rows)
    course = Course(ask, steps(differing), len(differing), int(differing.sum(axis=1).max()), seconds)
    pooled = Pooled(task.row.size, task.value.size)
    draws = np.random.default_rng(seed)
    while rounds := course.rounds(pooled):
        pooled.add(block(task, rounds, draws, course), rounds)
    errors = pooled.standard_error(ask.confidence)
    return Sampled(pooled.values(), errors, task.value, 1 + pooled.evaluations, course.notices(), course.stopped())


def together(answers: Sequence[Sampled], expected: FloatArray) -> Attributions:
    """The attributions of all rows against one background, whose mean output is `expected` (outputs,)."""
    return Attributions(
        values=np.stack([a.values for a in answers]),
        standard_errors=np.stack([a.standard_errors for a in answers]),
        expected=np.tile(expected, (len(answers), 1)),
        predictions=np.stack([a.prediction for a in answers]),
        evaluations=np.array([a.evaluations for a in answers], dtype=np.int64),
        exact=False,
        additive=True,
        notices=tuple(a.notices for a in answers),
        stopped=tuple(a.stopped for a in answers),
    )
