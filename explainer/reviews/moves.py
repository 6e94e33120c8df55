"""Which values of a row may change, and to what: a finite grid for each feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isnan, log10

import numpy as np

from explainer.attribution.model import IntArray
from explainer.records import Feature, FloatArray
from explainer.reviews.ground import Ground

MOST_VALUES = 100  # of one number
FEWEST_VALUES = 10
MOST_NUMBERS = 4000  # values of all numbers together, as long as each has FEWEST_VALUES
MOST_CATEGORIES = 50  # of one feature: the most common
ROUND = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Moves:
    """Every allowed change of one value of one row, each array of shape (moves,).

    `side` says whether a number goes down (-1) or up (1), 0 where neither can be said; `steps` how many values of its
    grid lie between it and the row's own value, itself counted, 0 where they have no order. `part` is what the change
    adds to the distance, before the mean over the features; `placed` is the value on the distance's scale.
    """

    feature: IntArray
    value: FloatArray
    side: IntArray
    steps: IntArray
    part: FloatArray
    placed: FloatArray

    def __len__(self) -> int:
        return len(self.feature)

    def nearer(self, move: int) -> IntArray:
        """Moves of the same number that lie between its own value and this one."""
        same = (self.feature == self.feature[move]) & (self.side == self.side[move])
        return np.flatnonzero(same & (self.steps < self.steps[move]))


def moves_of(row: FloatArray, features: Sequence[Feature], ground: Ground) -> Moves:
    """All moves of a coded row (features,), in the order of the schema.

    A value that is known never becomes missing. A missing one can become known, but not where its step or direction
    would have to be counted from it.
    """
    numbers = sum(f.mutable for f, n in zip(features, ground.gower.numeric, strict=True) if n)
    most = min(MOST_VALUES, max(FEWEST_VALUES, MOST_NUMBERS // max(1, numbers)))
    found = [_values(f, float(row[i]), ground, i, most) if f.mutable else np.empty(0) for i, f in enumerate(features)]
    feature = np.repeat(np.arange(len(found)), [len(v) for v in found]).astype(np.int64)
    value = np.concatenate([*found, np.empty(0)])
    own = row[feature]
    ordered = ground.gower.numeric[feature] & ~np.isnan(own)
    side = np.where(ordered, np.sign(value - np.nan_to_num(own)), 0).astype(np.int64)
    placed = ground.gower.placed_columns(value, feature)
    part = ground.gower.apart(placed, ground.gower.placed(row)[feature], feature)
    return Moves(feature, value, side, _steps(feature, value, side), part, placed)


def _steps(feature: IntArray, value: FloatArray, side: IntArray) -> IntArray:
    steps = np.zeros(len(feature), dtype=np.int64)
    for sign in (-1, 1):
        at = np.flatnonzero(side == sign)
        at = at[np.lexsort((sign * value[at], feature[at]))]
        first = np.searchsorted(feature[at], feature[at])
        steps[at] = np.arange(len(at)) - first + 1
    return steps


def _values(feature: Feature, own: float, ground: Ground, i: int, most: int) -> FloatArray:
    """The values (values,) to which a mutable feature can change, its own left out."""
    if isnan(own) and (feature.step is not None or feature.changes != "any"):
        return np.empty(0)
    values = _grid(feature, own, ground, i, most) if ground.gower.numeric[i] else ground.seen[i][:MOST_CATEGORIES]
    values = values[values != own]
    if feature.changes == "up":
        values = values[values > own]
    if feature.changes == "down":
        values = values[values < own]
    return np.sort(values)


def _grid(feature: Feature, own: float, ground: Ground, i: int, most: int) -> FloatArray:
    """Values between the number's own and the background's ordinary ones, about `most` of them at most.

    With a step they are multiples of it away from the own value, otherwise round numbers.
    """
    low, high = float(np.fmin(ground.low[i], own)), float(np.fmax(ground.high[i], own))
    low = max(low, -inf if feature.min is None else feature.min)
    high = min(high, inf if feature.max is None else feature.max)
    if not low < high:
        # An only value remains, for example where a missing one becomes known.
        return np.array([low]) if low == high and (feature.step is None or low == own) else np.empty(0)
    if feature.step is None:
        unit = 1.0 if feature.type == "integer" else 0.0
        step, origin = max(round_step(high - low, most), unit), 0.0
    else:
        step, origin = feature.step * max(1.0, round_step((high - low) / feature.step, most)), own
    first, last = ceil((low - origin) / step - 1e-9), floor((high - origin) / step + 1e-9)
    values = origin + step * np.arange(first, last + 1)
    if feature.type == "number":
        values = np.round(values, 12 - floor(log10(max(abs(low), abs(high), step))))
    return np.asarray(values[(values >= low) & (values <= high)])


def round_step(width: float, most: int) -> float:
    """The smallest 1, 2 or 5 times a power of ten that fits into `width` at most `most` times."""
    power = 10.0 ** floor(log10(width / most))
    return next(power * r for r in ROUND if power * r * most >= width * (1 - 1e-9))
