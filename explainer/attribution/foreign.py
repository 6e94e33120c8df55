"""Is a row of the kind that the background shows? Its distance from the background, against what is ordinary there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from explainer.attribution.crowd import Crowd, crowd
from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.neighbours import UNEQUAL
from explainer.records import FloatArray, Notice

RATE = 0.01  # share of ordinary rows that are flagged
FEWEST = ceil(1 / RATE) - 1  # background rows: with fewer no threshold has that rate
MOST = 256  # background rows that a row is compared with
NEAREST = 3  # the distance of a row is the mean one of so many nearest
FAR = 1e6  # widths of the background's range beyond which a number is no farther away
NAMED = 0.2  # of the largest part of a distance: features below are not named
QUARTILES = 1.349  # of a normal distribution, in standard deviations
COMMON = 0.05  # share of the background rows whose scores are beyond the unit in which two scores are compared
SHOWN = 3  # features that a finding names
MANY = 8  # rows from which on they are measured together first
FOREIGN, OUT_OF_RANGE = "foreign-row", "out-of-range"

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Place:
    """Coded rows as distances see them: numbers (n, numbers) scaled, 0 where missing; codes (n, compared).

    `lost` (n,) counts missing values in features that the background always knows; `beyond` (n, numbers) says how far
    a number lies beyond the background's range, in widths of it, 0 where it is within or missing.
    """

    numbers: FloatArray
    codes: Codes
    lost: IntArray
    beyond: FloatArray


@dataclass(frozen=True, slots=True)
class Scale:
    """Which features are measured as numbers, which compared for being equal, and how numbers are scaled.

    asinh((x - centre) / spread) / unit: as a standardised number near the middle, as its logarithm far out, so that a
    heavy tail does not hide that values do not go together.
    """

    measured: IntArray
    compared: IntArray  # categories, constants, and numbers that may be missing
    whole: BoolArray  # (compared,) whether only being missing is compared
    always: BoolArray  # (numbers,) whether the background always knows it
    low: FloatArray  # (numbers,) the background's range
    width: FloatArray
    centre: FloatArray
    spread: FloatArray
    unit: FloatArray

    def place(self, rows: FloatArray) -> Place:
        values = np.clip(rows[:, self.measured], self.low - FAR * self.width, self.low + FAR * self.width)
        gone = np.isnan(values)
        numbers = np.where(gone, 0.0, np.arcsinh((values - self.centre) / self.spread) / self.unit)
        given = rows[:, self.compared]
        codes = np.where(np.isnan(given), -1.0, np.where(self.whole, 0.0, np.clip(given, -FAR, FAR)))
        beyond = np.fmax(np.abs((values - self.low) / self.width - 0.5) - 0.5, 0.0)
        return Place(numbers, codes.astype(np.int32), (gone & self.always).sum(axis=1), beyond)


@dataclass(frozen=True, slots=True)
class Familiar:
    """Background rows made ready to compare others with.

    Squared distances sum those of numbers, about 1 standard deviation being 1, and UNEQUAL for unequal categories and
    for a missing value beside one that is known. The limits are conformal (Vovk, Gammerman and Shafer 2005): each
    background row is scored against the others, and the score that at most RATE of new rows of their kind exceed is
    the limit. Both scores together keep that rate.
    """

    names: tuple[str, ...]
    scale: Scale
    numbers: FloatArray  # (rows, numbers)
    codes: Codes  # (compared, rows)
    near: float
    beyond: float
    crowd: Crowd

    def findings(self, rows: FloatArray) -> list[tuple[Notice, ...]]:
        """What is strange about each coded row (n, features); nothing for at least 1 - RATE of ordinary rows.

        A row's findings never depend on the other rows.
        """
        places = self.scale.place(rows)
        if len(rows) < MANY:
            return [self._finding(places, i) for i in range(len(rows))]
        foreign, beyond = self._marked(places)
        strange = (foreign | beyond).tolist()
        return [self._finding(places, i) if strange[i] else () for i in range(len(rows))]

    def marks(self, rows: FloatArray) -> tuple[tuple[str, BoolArray], ...]:
        """The codes of `findings`, each with the rows (n,) that have it, for thousands of rows at once."""
        foreign, beyond = self._marked(self.scale.place(rows))
        return (FOREIGN, foreign), (OUT_OF_RANGE, beyond)

    def _marked(self, places: Place) -> tuple[BoolArray, BoolArray]:
        """Which rows are foreign and which out of range; where rounding could decide, the row itself is looked at."""
        more = UNEQUAL * places.lost.astype(np.float64)
        foreign, unsure = self.crowd.farther(places.numbers, places.codes, more, self.near, NEAREST)
        for i in np.flatnonzero(unsure).tolist():
            foreign[i] = self._far(places, i, self._squared(places.numbers[i], places.codes[i]))
        return foreign, places.beyond.max(axis=1, initial=0.0) > self.beyond

    def _far(self, places: Place, i: int, squared: FloatArray) -> bool:
        return sqrt(_nearest(squared) + UNEQUAL * places.lost[i]) > self.near

    def _finding(self, places: Place, i: int) -> tuple[Notice, ...]:
        found, off = [], places.beyond[i]
        squared = self._squared(places.numbers[i], places.codes[i])
        if self._far(places, i, squared):
            found.append(_foreign(self._named(self._apart(places, i, int(squared.argmin())))))
        if off.max(initial=0.0) > self.beyond:
            parts = np.zeros(len(self.names))
            parts[self.scale.measured] = np.where(off > self.beyond, off, 0.0)
            found.append(_out_of_range(self._named(parts)))
        return tuple(found)

    def _squared(self, numbers: FloatArray, codes: Codes) -> FloatArray:
        """Squared distances (rows,) of one row from the background's, but for values that they never miss."""
        off = self.numbers - numbers
        unequal = (self.codes != codes[:, None]).sum(axis=0)
        return np.asarray(np.einsum("ij,ij->i", off, off) + UNEQUAL * unequal)

    def _apart(self, places: Place, i: int, nearest: int) -> FloatArray:
        parts = np.zeros(len(self.names))
        parts[self.scale.measured] = (self.numbers[nearest] - places.numbers[i]) ** 2
        parts[self.scale.compared] += np.where(self.codes[:, nearest] != places.codes[i], UNEQUAL, 0.0)
        return parts

    def _named(self, parts: FloatArray) -> str:
        leading = [i for i in np.argsort(-parts, kind="stable")[:SHOWN] if parts[i] > NAMED * parts.max()]
        return ", ".join(self.names[i] for i in leading) or "values that are missing"


def familiar(rows: FloatArray, kinds: IntArray, names: tuple[str, ...]) -> Familiar | None:
    """Make coded background rows (n, features) ready; None when they are fewer than FEWEST.

    `kinds[i]` counts the categories of feature i, 0 if it is numeric.
    """
    if len(rows) < FEWEST:
        return None
    kept = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(np.int64)]
    scale = _scale(kept, kinds)
    place, columns = scale.place(kept), kept[:, scale.measured]
    turned = np.ascontiguousarray(place.codes.T)
    bare = Familiar(names, scale, place.numbers, turned, np.inf, np.inf, crowd(place.numbers, turned))
    far, off = _far_from_the_others(bare, place), _beyond_the_others(columns)
    # The tails of both scores are given one shape first, so that neither takes the whole rate for itself.
    middle, far = float(np.median(far)), np.fmax(far - np.median(far), 0.0)
    near, beyond = _unit(far), _unit(np.cbrt(off))
    limit = _quantile(np.fmax(_share(far, near), _share(np.cbrt(off), beyond)))
    return replace(bare, near=middle + near * limit, beyond=(beyond * limit) ** 3)


def _scale(rows: FloatArray, kinds: IntArray) -> Scale:
    known = ~np.isnan(rows)
    always: BoolArray = np.asarray(known.all(axis=0), dtype=np.bool_)
    several = [len(np.unique(column[~np.isnan(column)])) > 1 for column in rows.T]
    measured = np.array([kind == 0 and more for kind, more in zip(kinds, several, strict=True)])
    compared = np.flatnonzero(~measured | ~always)
    columns = [column[~np.isnan(column)] for column in rows.T[measured]]
    low = np.array([column.min() for column in columns])
    centre = np.array([np.median(column) for column in columns])
    spread = np.array([np.subtract(*np.quantile(c, (0.75, 0.25))) / QUARTILES or c.std() for c in columns])
    unit = [np.arcsinh((c - m) / s).std() for c, m, s in zip(columns, centre, spread, strict=True)]
    return Scale(
        measured=np.flatnonzero(measured),
        compared=compared,
        whole=measured[compared],
        always=always[measured],
        low=low,
        width=np.array([column.max() for column in columns]) - low,
        centre=centre,
        spread=spread,
        unit=np.array(unit),
    )


def _far_from_the_others(bare: Familiar, place: Place) -> FloatArray:
    found = np.empty(len(place.numbers))
    for i in range(len(found)):
        found[i] = sqrt(_nearest(np.delete(bare._squared(place.numbers[i], place.codes[i]), i)))
    return found


def _beyond_the_others(columns: FloatArray) -> FloatArray:
    """How far each row's numbers lie beyond the range of all other rows, in widths of that, the farthest (rows,)."""
    found = np.zeros(len(columns))
    for column in columns.T:
        known = np.flatnonzero(~np.isnan(column))
        order = known[np.argsort(column[known], kind="stable")]
        ends = column[order]
        if len(order) > 2:
            below, above = (ends[1] - ends[0], ends[-1] - ends[1]), (ends[-1] - ends[-2], ends[-2] - ends[0])
            for place, (gap, width) in ((order[0], below), (order[-1], above)):
                found[place] = max(found[place], gap / width if width > 0 else np.inf * gap if gap > 0 else 0.0)
    return found


def _nearest(squared: FloatArray) -> float:
    return float(np.partition(squared, NEAREST - 1)[:NEAREST].mean())


def _quantile(scores: FloatArray) -> float:
    """The score that a new one of the same kind exceeds with a probability of at most RATE."""
    return float(np.sort(scores)[ceil((len(scores) + 1) * (1 - RATE)) - 1])


def _unit(scores: FloatArray) -> float:
    """What makes two scores comparable in their tails; not their limits, which hang on one background row or two."""
    return float(np.quantile(scores, 1 - COMMON)) or float(scores.max())


def _share(scores: FloatArray, limit: float) -> FloatArray:
    """Scores in units of a limit; what exceeds a limit of 0 does so infinitely."""
    return np.asarray(scores / limit if limit > 0 else np.where(scores > 0, np.inf, 0.0))


def _foreign(features: str) -> Notice:
    detail = (
        f"No row of the model's background is near this one; it differs most in {features}. One ordinary row in "
        f"{round(1 / RATE)} is flagged so; of a foreign row the model may have learnt nothing."
    )
    return Notice(FOREIGN, detail)


def _out_of_range(features: str) -> Notice:
    detail = (
        f"Far beyond all that the model's background shows: {features}. One ordinary row in {round(1 / RATE)} is "
        "flagged so; out there a model guesses."
    )
    return Notice(OUT_OF_RANGE, detail)
