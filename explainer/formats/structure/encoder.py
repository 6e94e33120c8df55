"""The columns of a traced preprocessing computed by numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from explainer.attribution.model import IntArray
from explainer.formats.structure.tracks import Track
from explainer.records import FloatArray

Operation = Callable[[FloatArray, FloatArray, Any], FloatArray]


Places = IntArray | slice


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Columns that go through the same kinds of step, side by side."""

    columns: Places
    owners: IntArray
    steps: tuple[tuple[Operation, FloatArray, object], ...]


@dataclass(frozen=True, slots=True)
class _Lookup:
    """All columns that depend on one feature's code each: `values` holds one run for every column, missing last."""

    columns: Places
    features: IntArray  # those that are looked up
    missing: FloatArray  # the place of a missing value in a run of each of them
    which: IntArray  # of `features`, for each column
    start: IntArray  # of each column's run
    values: FloatArray

    def __call__(self, rows: FloatArray) -> FloatArray:
        codes = rows[:, self.features]
        places = np.where(np.isnan(codes), self.missing, codes).astype(np.intp)
        found: FloatArray = self.values[places[:, self.which] + self.start]
        return found


class Encoder:
    """`encode` of Columns: coded rows (rows, features) to the matrix (rows, columns) that the estimator is fed.

    `tables[f]` gives all columns for every code of feature f, missing last. The operations and their order are
    scikit-learn's own, so the numbers are the same to the bit.
    """

    def __init__(self, tracks: Sequence[Track], tables: dict[int, FloatArray]) -> None:
        self.width = len(tracks)
        self.lookup = _lookup(tracks, tables)
        alike: dict[object, list[int]] = {}
        for column, track in enumerate(tracks):
            if not track.tabled:
                alike.setdefault(tuple((s.kind, s.setting) for s in track.steps), []).append(column)
        self.numbers = [_numbers(columns, tracks) for columns in alike.values()]

    def __call__(self, rows: FloatArray) -> FloatArray:
        made = np.empty((len(rows), self.width))
        if self.lookup is not None:
            made[:, self.lookup.columns] = self.lookup(rows)
        for group in self.numbers:
            numbers = rows[:, group.owners]
            for operation, operand, setting in group.steps:
                numbers = operation(numbers, operand, setting)
            made[:, group.columns] = numbers
        return made


def _lookup(tracks: Sequence[Track], tables: dict[int, FloatArray]) -> _Lookup | None:
    columns = [c for c, track in enumerate(tracks) if track.tabled]
    if not columns:
        return None
    features, which = np.unique([tracks[c].owner for c in columns], return_inverse=True)
    runs = [tables[tracks[c].owner][:, c] for c in columns]
    return _Lookup(
        columns=_places(columns),
        features=features,
        missing=np.array([len(tables[f]) - 1.0 for f in features.tolist()]),
        which=which,
        start=np.cumsum([0, *(len(run) for run in runs[:-1])]),
        values=np.concatenate(runs),
    )


def _places(columns: list[int]) -> Places:
    """Neighbouring columns as a slice, which numpy fills faster."""
    side_by_side = columns == list(range(columns[0], columns[-1] + 1))
    return slice(columns[0], columns[-1] + 1) if side_by_side else np.array(columns, dtype=np.int64)


def _numbers(columns: list[int], tracks: Sequence[Track]) -> _Numbers:
    steps: list[tuple[Operation, FloatArray, object]] = []
    for place, step in enumerate(tracks[columns[0]].steps):
        operand = np.array([tracks[c].steps[place].operand for c in columns])
        steps.append((_OPERATIONS[step.kind], operand, step.setting))
    owners = np.array([tracks[c].owner for c in columns], dtype=np.int64)
    return _Numbers(_places(columns), owners, tuple(steps))


def _is_missing(x: FloatArray, marker: object) -> Any:
    return np.isnan(x) if marker is None else x == marker


def _ufunc(x: FloatArray, operand: FloatArray, setting: Any) -> FloatArray:
    with np.errstate(all="ignore"):
        return cast(FloatArray, np.asarray(setting(x), dtype=np.float64))


_OPERATIONS: dict[str, Operation] = {
    "subtract": lambda x, v, _: x - v,
    "add": lambda x, v, _: x + v,
    "multiply": lambda x, v, _: x * v,
    "divide": lambda x, v, _: x / v,
    "clip": lambda x, _, ends: np.clip(x, ends[0], ends[1]),
    "above": lambda x, v, _: (x > v).astype(np.float64),
    "equals": lambda x, v, _: (x == v).astype(np.float64),
    "missing": lambda x, _, marker: _is_missing(x, marker).astype(np.float64),
    "fill": lambda x, v, marker: np.where(_is_missing(x, marker), v, x),
    "ufunc": _ufunc,
}
