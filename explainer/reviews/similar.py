"""Which rows are most like one row, and what they have in common: facts of groups, never a single background row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.records import Feature, FloatArray
from explainer.reviews.distance import Gower, Value, plain
from explainer.reviews.groups import LEAST

COUNT = 20


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest rows: their `indices` (n,), ascending `distances` (n,) and the `parts` (n, features) of these."""

    indices: IntArray
    distances: FloatArray
    parts: FloatArray


@dataclass(frozen=True, slots=True)
class Typical:
    """What is typical of a group in one feature: the median of a number, otherwise the most common value.

    `known` False: fewer rows than the smallest group know or share a value, so that none is told.
    """

    feature: str
    here: Value
    value: Value
    known: bool
    share: float  # of the rows' distance that this feature makes up


@dataclass(frozen=True, slots=True)
class Similar:
    """The background rows that are nearest to one row, as a group of `count` rows; 0 where they would be too few.

    `adverse` of them get the adverse outcome. Within `nearest` lie as many as the smallest group has, within `farthest`
    all of them: the distance of a single row would tell whether somebody is in the background. Both, 0 to 1, are to two
    digits; `typical` has every feature.
    """

    count: int
    adverse: int
    nearest: float
    farthest: float
    typical: tuple[Typical, ...]
    told: str


def nearest(row: FloatArray, rows: FloatArray, distance: Gower, count: int) -> Near:
    """The `count` of the coded `rows` (n, features) that are nearest to `row`; of equally near ones the earlier."""
    parts = distance.parts(row, rows)
    apart = parts.mean(axis=1)
    order = np.argsort(apart, kind="stable")[:count]
    return Near(order, apart[order], parts[order])


def summarise(
    row: FloatArray,
    schema: Sequence[Feature],
    background: tuple[FloatArray, BoolArray],
    distance: Gower,
    count: int = COUNT,
    least: int = LEAST,
) -> Similar:
    """Facts of the nearest background rows as a group.

    `background` is its coded rows (n, features) and, of each, whether it gets the adverse outcome (n,). No fact is
    told of fewer than `least` rows: not of the group, nor of those in it that know or share a value.
    """
    rows, adverse = background
    near = nearest(row, rows, distance, max(count, least))
    size = len(near.indices)
    if size < least:
        return Similar(0, 0, 0.0, 0.0, (), f"The background has fewer than {least} rows: nothing is told of them.")
    group, refused = rows[near.indices], int(adverse[near.indices].sum())
    shares = near.parts.sum(axis=0) / (near.parts.sum() or 1.0)
    return Similar(
        count=size,
        adverse=refused,
        nearest=float(f"{near.distances[least - 1]:.2g}"),
        farthest=float(f"{near.distances[-1]:.2g}"),
        typical=tuple(_typical(f, row[i], group[:, i], least, float(shares[i])) for i, f in enumerate(schema)),
        told=f"Of the {size} nearest rows of the background {refused} get the adverse outcome.",
    )


def _typical(feature: Feature, here: float, column: FloatArray, least: int, share: float) -> Typical:
    known = column[~np.isnan(column)]
    own = plain(feature, here)
    if len(known) < least:
        return Typical(feature.name, own, None, False, share)
    if feature.type in ("number", "integer"):
        middle = float(np.median(known))
        middle = float(round(middle)) if feature.type == "integer" else middle
        return Typical(feature.name, own, plain(feature, middle), True, share)
    codes, counts = np.unique(known, return_counts=True)
    best = int(counts.argmax())
    if counts[best] < least:
        return Typical(feature.name, own, None, False, share)
    return Typical(feature.name, own, plain(feature, float(codes[best])), True, share)
