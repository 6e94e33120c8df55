"""How far two rows are apart, feature by feature, so that the distance can be explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.attribution.foreign import QUARTILES
from explainer.attribution.model import BoolArray
from explainer.records import Feature, FloatArray

ORDINARY = (0.05, 0.95)  # quantiles of the background between which a number is ordinary
SHOWN = 3  # features that a difference names
NAMED = 0.2  # of the largest part of a distance: features below are not named

Value = str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class Gower:
    """Distances of coded rows as Gower 1971 (Biometrics 27, 857-871, section 2) has them: the mean of one part for
    each feature, each from 0 to 1.

    Categories and booleans differ wholly or not at all, as does a missing value from one that is known. Numbers differ
    by their distance in units of the background's ordinary range, at most by 1. So that a heavy tail does not shrink
    everything else, they are measured as asinh((x - centre) / spread), as `explainer.attribution.foreign` does: like
    the number near the middle, like its logarithm far out. Every part is a metric, and so is their mean.
    """

    numeric: BoolArray  # (features,)
    centre: FloatArray  # (features,) the median, 0 where not numeric
    spread: FloatArray  # (features,) the quartiles' distance in standard deviations of a normal distribution
    unit: FloatArray  # (features,) the ordinary range after asinh; 0 where any difference is a whole one

    @classmethod
    def of(cls, features: Sequence[Feature], background: FloatArray) -> Gower:
        """Learn the units from coded background rows, shape (rows, features)."""
        numeric = np.array([f.type in ("number", "integer") for f in features], dtype=np.bool_)
        units = [
            _units(column) if wanted else (0.0, 1.0, 0.0) for wanted, column in zip(numeric, background.T, strict=True)
        ]
        centre, spread, unit = np.array(units, dtype=np.float64).reshape(len(units), 3).T
        return cls(numeric, centre, spread, unit)

    def placed(self, rows: FloatArray) -> FloatArray:
        """Coded rows of shape (..., features) on the scale on which numbers are compared; NaN stays NaN."""
        return self.placed_columns(rows, np.arange(len(self.numeric)))

    def placed_columns(self, values: FloatArray, of: np.ndarray) -> FloatArray:
        """The same for values that are of features `of`, an integer array that broadcasts against them."""
        scaled = np.arcsinh((values - self.centre[of]) / self.spread[of])
        unit = self.unit[of]
        scaled = np.where(unit > 0, scaled / np.where(unit > 0, unit, 1.0), values)
        return np.asarray(np.where(self.numeric[of], scaled, values))

    def apart(self, first: FloatArray, second: FloatArray, of: np.ndarray) -> FloatArray:
        """Parts between placed values that broadcast against each other and against their features `of`."""
        off = np.abs(first - second)
        part = np.where(self.numeric[of] & (self.unit[of] > 0), np.minimum(off, 1.0), off != 0)
        gone, missing = np.isnan(first), np.isnan(second)
        return np.asarray(np.where(gone | missing, gone != missing, part), dtype=np.float64)

    def parts(self, row: FloatArray, rows: FloatArray) -> FloatArray:
        """Parts (rows, features) between one coded row (features,) and others (rows, features)."""
        return self.apart(self.placed(rows), self.placed(row), np.arange(len(self.numeric)))

    def between(self, row: FloatArray, rows: FloatArray) -> FloatArray:
        """Distances (rows,), each from 0 to 1: the means of the parts."""
        return np.asarray(self.parts(row, rows).mean(axis=1))


@dataclass(frozen=True, slots=True)
class Difference:
    """One feature in which two rows differ, and its share of their distance; the values are those of JSON."""

    feature: str
    here: Value
    there: Value
    share: float


def differences(
    features: Sequence[Feature], parts: FloatArray, here: FloatArray, there: FloatArray, most: int = SHOWN
) -> tuple[Difference, ...]:
    """The features that make up most of a distance, of whose `parts` (features,) they are the largest, in order."""
    total = float(parts.sum())
    leading = [int(i) for i in np.argsort(-parts, kind="stable")[:most] if total > 0 and parts[i] > NAMED * parts.max()]
    return tuple(
        Difference(features[i].name, plain(features[i], here[i]), plain(features[i], there[i]), float(parts[i]) / total)
        for i in leading
    )


def told(found: Sequence[Difference]) -> str:
    """Differences in words: 'differs mostly in months (24, there 48)'."""
    if not found:
        return "does not differ"
    return "differs mostly in " + ", ".join(f"{d.feature} ({worded(d.here)}, there {worded(d.there)})" for d in found)


def plain(feature: Feature, coded: float) -> Value:
    """The JSON value of a coded cell; a missing one is None."""
    if np.isnan(coded):
        return None
    if feature.type == "category":
        return feature.categories[int(coded)]
    if feature.type == "boolean":
        return bool(coded)
    return int(coded) if feature.type == "integer" else float(coded)


def worded(value: Value) -> str:
    """A value for people: numbers with their thousands apart, to ten digits."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{float(f'{value:.10g}'):,}".removesuffix(".0")


def ordinary(column: FloatArray) -> tuple[float, float]:
    """The quantiles ORDINARY of what is known in a column (rows,), by values that occur; NaN where nothing is."""
    known = column[~np.isnan(column)]
    if not len(known):
        return np.nan, np.nan
    low, high = np.quantile(known, ORDINARY, method="nearest")
    return float(low), float(high)


def _units(column: FloatArray) -> tuple[float, float, float]:
    known = column[~np.isnan(column)]
    if len(known) == 0 or known.min() == known.max():
        return 0.0, 1.0, 0.0
    centre = float(np.median(known))
    spread = float(np.subtract(*np.quantile(known, (0.75, 0.25)))) / QUARTILES or float(known.std())
    scaled = np.arcsinh((known - centre) / spread)
    low, high = ordinary(scaled)
    return centre, spread, high - low or float(np.ptp(scaled))
