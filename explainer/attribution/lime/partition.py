"""The cells that LIME puts each feature's values into, and how a value is drawn from a cell.

A number's cells lie between percentiles of the background; a category's cells are its categories. A missing value is
a cell of its own, last, with the background's share of missing values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainer.attribution.lime.options import PERCENTILES, LimeOptions
from explainer.attribution.model import BoolArray, IntArray
from explainer.records import FloatArray

Law = tuple[float, float, float, float, float]  # draws, centre, spread, low, mass
TINY = 1e-11  # the library adds it to the spread of every cell


@dataclass(frozen=True, slots=True)
class Cells:
    """The occupied cells of the celled features: `numbers` (features, cells), -1 beyond its last.

    `table` (features, 6, cells) says how a value is drawn: `upto`, the cumulative share of the background, is the
    chance of this cell or one before it; where `draws` is 1, the value is `centre` + `spread` times a standard normal
    variate whose distribution function is uniform between `low` and `low + mass`; elsewhere it is `centre`.
    """

    numbers: IntArray
    table: FloatArray

    def positions(self, numbers: IntArray) -> IntArray:
        """Where each feature keeps the cell of that number (features,); -1 where the background has none there."""
        found = self.numbers == numbers[:, None]
        return np.where(found.any(axis=1), found.argmax(axis=1), -1)


@dataclass(frozen=True, slots=True)
class Partition:
    """How every feature is perturbed: `celled` features by cell, the others by normal variates of `mean` and `scale`.

    `borders[j]` are the inner borders of number j (a cell contains its upper border); None for a category. Where
    `discretised` is False a normal variate is drawn for every feature, wanted or not, as the library does.
    """

    discretised: bool

    kinds: IntArray
    borders: tuple[FloatArray | None, ...]
    celled: IntArray
    normal: IntArray
    cells: Cells
    mean: FloatArray
    scale: FloatArray

    def numbers(self, row: FloatArray) -> IntArray:
        """The number of the cell that each celled feature of `row` (features,) is in."""
        return np.array([self._number(int(j), float(row[j])) for j in self.celled], dtype=np.int64)

    def _number(self, feature: int, value: float) -> int:
        borders = self.borders[feature]
        if np.isnan(value):
            return missing_number(int(self.kinds[feature]), borders)
        return int(value) if borders is None else int(np.searchsorted(borders, value))


def missing_number(kind: int, borders: FloatArray | None) -> int:
    """The number of the cell of missing values, after all others."""
    return kind if borders is None else len(borders) + 1


def partition(data: FloatArray, kinds: IntArray, options: LimeOptions, missing: BoolArray) -> Partition:
    """Cells and scales from background rows `data` (rows, features), repeated by their weight.

    Without discretisation, numbers that `missing` (features,) marks are put into quartile cells all the same,
    since a missing value has no distance from a number.
    """
    celled = (kinds > 0) | missing | np.isnan(data).any(axis=0) | (options.discretizer is not None)
    borders = tuple(_borders(data[:, j], int(kinds[j]), options) for j in range(data.shape[1]))
    columns = [_cells(data[:, j], int(kinds[j]), borders[j], options) for j in np.flatnonzero(celled)]
    mean, scale = _moments(data, ~celled)
    where = np.flatnonzero(celled), np.flatnonzero(~celled)
    return Partition(options.discretizer is not None, kinds, borders, *where, _stack(columns), mean, scale)


def _borders(column: FloatArray, kind: int, options: LimeOptions) -> FloatArray | None:
    if kind:
        return None
    present = column[~np.isnan(column)]
    percentiles = PERCENTILES[options.discretizer or "quartile"]
    return np.unique(np.percentile(present, percentiles)) if present.size else np.empty(0)


def _moments(data: FloatArray, wanted: BoolArray) -> tuple[FloatArray, FloatArray]:
    mean, scale = np.zeros(data.shape[1]), np.ones(data.shape[1])
    if wanted.any():
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(data[:, wanted])
        mean[wanted], scale[wanted] = scaler.mean_, scaler.scale_
    return mean, scale


def _cells(
    column: FloatArray, kind: int, borders: FloatArray | None, options: LimeOptions
) -> tuple[IntArray, FloatArray]:
    """Numbers (cells,) and table (6, cells) of one feature."""
    gap = np.isnan(column)
    number = np.full(len(column), missing_number(kind, borders), dtype=np.int64)
    number[~gap] = column[~gap] if borders is None else np.searchsorted(borders, column[~gap])
    found, counts = np.unique(number, return_counts=True)
    upto = np.cumsum(counts / float(counts.sum()))
    if borders is None:
        laws = [_point(column[number == i][0]) for i in found]
    else:
        edges = np.concatenate([[np.min(column[~gap])], borders, [np.max(column[~gap])]]) if len(borders) else borders
        laws = [_law(column[number == i], edges[i : i + 2], options) for i in found]
    return found, np.vstack([upto / upto[-1], np.array(laws).T])


def _point(value: float, draws: bool = False) -> Law:
    return float(draws), float(value), 0.0, 0.5, 0.0


def _law(values: FloatArray, edges: FloatArray, options: LimeOptions) -> Law:
    """How a value is drawn in the cell that holds `values`: from a normal distribution cut at the edges.

    The library undoes its own standardisation only where the standardised edges differ. Where they are equal it
    leaves the standardised edge itself, close to 0, in place of the value: zero for a feature that is constant,
    and for the lowest quarter of one whose first quartile is its minimum. We draw the value, unless told otherwise;
    the number of random variates taken is the same.
    """
    from scipy.special import ndtr

    if np.isnan(values[0]):
        return _point(np.nan)
    mean, spread = float(np.mean(values)), float(np.std(values)) + TINY
    lower, upper = (float(edge - mean) / spread for edge in edges)
    draws = lower != upper
    if options.point_cells == "value" and values.min() == values.max():
        return _point(values[0], draws)
    if not draws:
        return _point(lower)
    return 1.0, mean, spread, float(ndtr(lower)), float(ndtr(upper) - ndtr(lower))


def _stack(columns: list[tuple[IntArray, FloatArray]]) -> Cells:
    width = max((len(numbers) for numbers, _ in columns), default=1)
    stacked, table = np.full((len(columns), width), -1, dtype=np.int64), np.zeros((len(columns), 6, width))
    table[:, 0] = 1.0
    for c, (numbers, part) in enumerate(columns):
        stacked[c, : len(numbers)] = numbers
        table[c, :, : len(numbers)] = part
    return Cells(stacked, table)
