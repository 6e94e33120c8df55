"""One feature over many rows, so that no row can be put together again: bands of values, cells of attributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.attribution.summary import summarised
from explainer.records import Feature, FloatArray
from explainer.usecases.insight_rows import GROUP

CELLS = 120  # in which attributions of all features of a page are rounded
SHADES = 5  # bands of a swarm, from low to high
STEPS = 8  # bands of a dependence plot
DIGITS = 2  # significant ones of a band's ends
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Band:
    """Rows whose values lie together: a category, missing values, or numbers from `low` to `high`.

    The outermost ends are None: they would be single rows' values. `rows` are positions.
    """

    label: str | None
    low: float | None
    high: float | None
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of a swarm: its attribution, rounded, and its value's place from 0 (low) to 1 (high), None without."""

    amount: float
    shade: float | None


@dataclass(frozen=True, slots=True)
class Swarm:
    """One feature's points in order of attribution, and their quantiles (QUANTILES). `left_out` rows are not drawn."""

    feature: str
    spots: tuple[Spot, ...]
    quantiles: tuple[float, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Step:
    """The mean attribution of a band's rows with its standard error (None: not known), and their spread."""

    band: Band
    mean: float
    standard_error: float | None
    deviation: float


@dataclass(frozen=True, slots=True)
class Point:
    """A sample: its value as JSON, its coded value (NaN: missing), its attribution and standard error."""

    value: object
    at: float
    amount: float
    standard_error: float | None


def swarm(feature: Feature, values: FloatArray, amounts: FloatArray, cell: float, *, group: int = GROUP) -> Swarm:
    """One feature's coded values and attributions (rows,) as points, rounded to multiples of `cell`."""
    shades: dict[int, float | None] = {}
    for shade, band in _shaded(feature, bands(feature, values, SHADES, group)):
        shades |= dict.fromkeys(band.rows, shade)
    spots = [Spot(float(round(amounts[i] / cell) * cell) if cell else 0.0, shade) for i, shade in shades.items()]
    spots.sort(key=lambda s: (s.amount, -1.0 if s.shade is None else s.shade))
    shares = np.quantile([s.amount for s in spots], QUANTILES) if spots else ()
    return Swarm(feature.name, tuple(spots), tuple(float(q) for q in shares), len(values) - len(spots))


def steps(
    feature: Feature, values: FloatArray, amounts: FloatArray, errors: FloatArray, *, group: int = GROUP
) -> tuple[Step, ...]:
    """The mean attribution in each band of values; bands of fewer than `group` rows are left out."""
    found = []
    for band in bands(feature, values, STEPS, group):
        at = list(band.rows)
        one = summarised(amounts[at, None], errors[at, None])[0]
        found.append(Step(band, one.mean, one.mean_standard_error, float(amounts[at].std())))
    return tuple(found)


def bands(feature: Feature, values: FloatArray, most: int, group: int = GROUP) -> tuple[Band, ...]:
    """The rows in bands of at least `group`; a rest that is smaller is in none."""
    missing = np.flatnonzero(np.isnan(values))
    known = _named(feature, values, group) if feature.type in ("category", "boolean") else _cut(values, most, group)
    gone = [Band("missing", None, None, tuple(missing.tolist()))] if len(missing) >= group else []
    return (*known, *gone)


def _named(feature: Feature, values: FloatArray, group: int) -> list[Band]:
    """One band for each category that is frequent enough, and one for the others together."""
    names = feature.categories if feature.type == "category" else ("no", "yes")
    found, others = [], list[int]()
    for code, name in enumerate(names):
        at = np.flatnonzero(values == code).tolist()
        if len(at) >= group:
            found.append(Band(name, None, None, tuple(at)))
        else:
            others += at
    return [*found, Band("other values", None, None, tuple(others))] if len(others) >= group else found


def _cut(values: FloatArray, most: int, group: int) -> list[Band]:
    """Numbers in at most `most` bands of about equally many rows; equal numbers stay together."""
    order = [i for i in np.argsort(values, kind="stable").tolist() if not np.isnan(values[i])]
    wanted, parts, part = max(group, -(-len(order) // most)), list[list[int]](), list[int]()
    for i in order:
        if len(part) >= wanted and values[i] != values[part[-1]]:
            parts.append(part)
            part = []
        part.append(i)
    if len(part) < group and parts:
        parts[-1] += part
    elif len(part) >= group:
        parts.append(part)
    last = len(parts) - 1
    return [
        Band(
            None,
            _rounded(values[part[0]]) if n else None,
            _rounded(values[part[-1]]) if n < last else None,
            tuple(part),
        )
        for n, part in enumerate(parts)
    ]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _shaded(feature: Feature, found: Sequence[Band]) -> list[tuple[float | None, Band]]:
    """Bands with their place from 0 to 1; categories have no order, missing values no place."""
    if feature.type == "category":
        return [(None, band) for band in found]
    if feature.type == "boolean":
        return [({"no": 0.0, "yes": 1.0}.get(str(band.label)), band) for band in found]
    known = [band for band in found if band.label is None]
    spread = max(1, len(known) - 1)
    placed: list[tuple[float | None, Band]] = [(n / spread if len(known) > 1 else 0.5, b) for n, b in enumerate(known)]
    return placed + [(None, band) for band in found if band.label is not None]
