"""What was found for many rows of one model, as arrays instead of one record for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.records import Explanation, FloatArray, OutputSpace, Stopped


@dataclass(frozen=True, slots=True)
class Batch:
    """n rows, d features, k explanations of each row (one for each class asked for); unknown numbers are NaN.

    `outputs[i, j]` is a place in `labels`, the name of the class (None where there is none); `method[i]` one in
    `methods`; `seeds[i]` is -1 where nothing was sampled. `notices` are (row, explanation, code).
    """

    space: OutputSpace
    labels: tuple[str | None, ...]
    outputs: IntArray  # (n, k)
    predictions: FloatArray  # (n, k)
    expected: FloatArray  # (n, k)
    values: FloatArray  # (n, d, k)
    errors: FloatArray  # (n, d, k)
    gaps: FloatArray  # (n, k)
    evaluations: IntArray  # (n,)
    seeds: IntArray  # (n,)
    exact: BoolArray  # (n,)
    methods: tuple[str, ...]
    method: IntArray  # (n,)
    r2: FloatArray  # (n, k), of LIME's surrogate
    notices: tuple[tuple[int, int, str], ...] = ()
    stopped: tuple[Stopped | None, ...] = ()  # per row, which rule ended its sampling; empty where nothing was sampled

    def __len__(self) -> int:
        return len(self.predictions)

    def told(self, marks: Sequence[tuple[str, BoolArray]]) -> Batch:
        """The same with further warnings behind those that it has: codes, each with the rows (n,) that have it."""
        k = self.predictions.shape[1]
        more = ((i, j, code) for code, marked in marks for i in np.flatnonzero(marked).tolist() for j in range(k))
        return replace(self, notices=tuple(sorted((*self.notices, *more), key=lambda notice: notice[:2])))


def of_explanations(found: Sequence[tuple[Explanation, ...]]) -> Batch:
    """The same numbers from one record for each row and class; every row has the same number of them, at least one."""
    labels = list(dict.fromkeys(e.class_name for row in found for e in row))
    methods = list(dict.fromkeys(row[0].method.name for row in found))
    return Batch(
        space=found[0][0].output,
        labels=tuple(labels),
        outputs=np.array([[labels.index(e.class_name) for e in row] for row in found], dtype=np.int64),
        predictions=np.array([[e.prediction for e in row] for row in found]),
        expected=np.array([[e.expected_value for e in row] for row in found]),
        values=np.array([[e.attributions for e in row] for row in found]).swapaxes(1, 2),
        errors=np.array([[_known(e.standard_errors) for e in row] for row in found]).swapaxes(1, 2),
        gaps=np.array([_known([e.method.additivity_gap for e in row]) for row in found]),
        evaluations=np.array([row[0].method.evaluations for row in found], dtype=np.int64),
        seeds=np.array([-1 if row[0].method.seed is None else row[0].method.seed for row in found], dtype=np.int64),
        exact=np.array([row[0].method.exact for row in found], dtype=np.bool_),
        methods=tuple(methods),
        method=np.array([methods.index(row[0].method.name) for row in found], dtype=np.int64),
        r2=np.array([_known([None if e.lime is None else e.lime.local_r2 for e in row]) for row in found]),
        notices=tuple((i, j, w.code) for i, row in enumerate(found) for j, e in enumerate(row) for w in e.warnings),
        stopped=_any(tuple(row[0].method.stopped for row in found)),
    )


def _any(rules: tuple[Stopped | None, ...]) -> tuple[Stopped | None, ...]:
    """The rules, or nothing where no row has one."""
    return rules if any(rules) else ()


def _known(numbers: Sequence[float | None]) -> list[float]:
    return [np.nan if number is None else number for number in numbers]
