"""Where each value of a row lies in the background's distribution, told by groups of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf

import numpy as np

from explainer.records import Feature, FloatArray
from explainer.reviews.distance import Value, ordinary, plain
from explainer.reviews.groups import LEAST, Share, told
from explainer.reviews.moves import round_step

MOST_BINS = 12


@dataclass(frozen=True, slots=True)
class Bin:
    """`count` rows from `low` to below `high`; the first and the last bin have no end (None)."""

    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One value among the background's.

    Of a number `quantile` is the share of known background values below it, equal ones counted half, to whole groups
    of the smallest size; `bins` are a distribution to draw, in which the value lies in bin `at`. Of a category or a
    boolean `same` counts the rows with this value. Either is None or empty where it cannot be told; `missing` counts
    the rows in which the value is not known.
    """

    feature: str
    value: Value
    rows: int
    missing: Share
    quantile: float | None = None
    bins: tuple[Bin, ...] = ()
    at: int | None = None
    same: Share | None = None


def stand(
    row: FloatArray, schema: Sequence[Feature], background: FloatArray, least: int = LEAST
) -> tuple[Standing, ...]:
    """The place of every value of a coded row (features,) among the coded background rows (n, features)."""
    return tuple(_standing(f, float(row[i]), background[:, i], least) for i, f in enumerate(schema))


def _standing(feature: Feature, value: float, column: FloatArray, least: int) -> Standing:
    rows, known = len(column), column[~np.isnan(column)]
    missing = told(rows - len(known), rows, least)
    shown = plain(feature, value)
    if feature.type not in ("number", "integer"):
        same = None if np.isnan(value) else told(int((known == value).sum()), rows, least)
        return Standing(feature.name, shown, rows, missing, same=same)
    if len(known) < least:
        return Standing(feature.name, shown, rows, missing)
    bins = _bins(known, feature.type == "integer", least)
    if np.isnan(value):
        return Standing(feature.name, shown, rows, missing, bins=bins)
    at = next(i for i, b in enumerate(bins) if b.high is None or value < b.high)
    return Standing(feature.name, shown, rows, missing, _quantile(known, value, least), bins, at)


def _quantile(known: FloatArray, value: float, least: int) -> float:
    """Mid-rank, to whole groups: an exact one, asked for many values, would tell every background value."""
    middle = float((known < value).sum() + (known <= value).sum()) / 2
    return min(1.0, round(middle / least) * least / len(known))


def _bins(known: FloatArray, whole: bool, least: int) -> tuple[Bin, ...]:
    """Bins of equal width between round numbers, the outer ones open; small ones are merged with a neighbour."""
    low, high = ordinary(known)
    if not low < high:
        low, high = float(known.min()), float(known.max())
    if not low < high:
        return (Bin(None, None, len(known)),)
    step = max(round_step(high - low, MOST_BINS - 2), 1.0 if whole else 0.0)
    inner = step * np.arange(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    edges = [-inf, *(float(f"{x:.12g}") for x in inner), inf]
    counts = np.histogram(known, np.array(edges))[0]
    return _merged(edges, counts.tolist(), least)


def _merged(edges: list[float], counts: list[int], least: int) -> tuple[Bin, ...]:
    found: list[Bin] = []
    low, gathered = edges[0], 0
    for high, count in zip(edges[1:], counts, strict=True):
        gathered += count
        if gathered >= least:
            found.append(Bin(_end(low), _end(high), gathered))
            low, gathered = high, 0
    if low < inf:  # what is left is too small to stand alone
        last = found.pop()
        found.append(Bin(last.low, None, last.count + gathered))
    return tuple(found)


def _end(edge: float) -> float | None:
    return None if abs(edge) == inf else edge
