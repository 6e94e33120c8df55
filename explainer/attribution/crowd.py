"""Which of many rows are far from the background: all distances by one matrix product, with a bound on its rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explainer.attribution.model import BoolArray
from explainer.attribution.neighbours import UNEQUAL
from explainer.records import FloatArray

BLOCK = 512  # rows whose distances are held at once
ROUNDING = 1e-10  # of the squared lengths of both rows: thousands of times what a product of that length loses


@dataclass(frozen=True, slots=True)
class Crowd:
    """Background rows laid out for |x - y|^2 = |x|^2 - 2xy + |y|^2, a category being one column for each of its codes.

    `levels[j]` are the codes of compared feature j that the background has, ascending; their columns begin at
    `starts[j]`. `product` is (numbers + columns + 1, background rows), its last row what holds for each of them alone.
    """

    product: FloatArray
    levels: tuple[npt.NDArray[np.int32], ...]
    starts: tuple[int, ...]
    largest: float

    def farther(
        self, numbers: FloatArray, codes: npt.NDArray[np.int32], more: FloatArray, limit: float, nearest: int
    ) -> tuple[BoolArray, BoolArray]:
        """Which rows have a mean squared distance to their `nearest` rows, `more` (n,) added, above limit^2 (n,).

        Also which rows (n,) are too near to the limit to tell; those have to be looked at one by one. `numbers` is
        (n, numbers), `codes` (n, compared), both as the background's.
        """
        far, unsure = np.zeros(len(numbers), dtype=np.bool_), np.zeros(len(numbers), dtype=np.bool_)
        if not np.isfinite(limit):
            return far, unsure
        for first in range(0, len(numbers), BLOCK):
            part = slice(first, first + BLOCK)
            given, lengths = self._laid_out(numbers[part], codes[part])
            with np.errstate(over="ignore", invalid="ignore"):
                allowed = limit * limit - more[part] - lengths
                slack = ROUNDING * (lengths + self.largest + limit * limit + more[part])
                squared = given @ self.product  # each row's own length is on the other side
                doubt = np.flatnonzero((squared <= (allowed - slack)[:, None]).sum(axis=1) < nearest)
                means = np.partition(squared[doubt], nearest - 1, axis=1)[:, :nearest].mean(axis=1)
                far[first + doubt] = means > (allowed + slack)[doubt]
                unsure[first + doubt] = ~(means > (allowed + slack)[doubt]) & ~(means < (allowed - slack)[doubt])
        return far, unsure

    def _laid_out(self, numbers: FloatArray, codes: npt.NDArray[np.int32]) -> tuple[FloatArray, FloatArray]:
        """Rows as factors of the product, and the squared length of each, to which unequal categories count as one."""
        width = numbers.shape[1]
        given = np.zeros((len(numbers), len(self.product)))
        given[:, :width] = -2.0 * numbers
        given[:, -1] = 1.0
        for levels, start, column in zip(self.levels, self.starts, codes.T, strict=True):
            place = np.minimum(np.searchsorted(levels, column), len(levels) - 1)
            known = np.flatnonzero(levels[place] == column)
            given[known, start + place[known]] = -UNEQUAL
        return given, np.einsum("ij,ij->i", numbers, numbers) + UNEQUAL * codes.shape[1]


def crowd(numbers: FloatArray, codes: npt.NDArray[np.int32]) -> Crowd:
    """Lay background rows out: `numbers` (rows, numbers), scaled; `codes` (compared, rows)."""
    levels = tuple(np.unique(row) for row in codes)
    sizes = [len(found) for found in levels]
    starts = tuple(numbers.shape[1] + sum(sizes[:j]) for j in range(len(sizes)))
    columns = [(row == level).astype(np.float64) for row, found in zip(codes, levels, strict=True) for level in found]
    lengths = np.einsum("ij,ij->i", numbers, numbers)
    product = np.vstack([numbers.T, *columns, lengths])
    return Crowd(product, levels, starts, float(lengths.max(initial=0.0)))
