"""Neighbours of a row, drawn in the order in which the `lime` library draws them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainer.attribution.lime.filling import count, fill, locate
from explainer.attribution.lime.partition import Partition
from explainer.attribution.model import BoolArray
from explainer.records import FloatArray

Random = np.random.RandomState


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Neighbours as the model takes them, `rows`, and as the linear model does, `design`; both (n, features).

    A celled feature's design is 1 where the neighbour is in the row's own cell, else 0; any other feature's design is
    its standardised value (booleans where all features have cells). `squared` (n,) is the squared Euclidean distance
    from the row in the design.
    """

    rows: FloatArray
    design: FloatArray | BoolArray
    squared: FloatArray


def draw(
    space: Partition,
    row: FloatArray,
    size: int,
    random: Random,
    *,
    first: bool,
    around_row: bool = False,
) -> Neighbourhood:
    """`size` neighbours of `row` (features,), of which the `first` is the row itself where that is asked for.

    `around_row` centres normal variates on the row and not on the background's mean.
    """
    normal, mean, scale = space.normal, space.mean[space.normal], space.scale[space.normal]
    rows = np.empty((size, len(row)))
    if not space.discretised:
        variates = random.normal(0, 1, size * len(row)).reshape(size, len(row))[:, normal]
        rows[:, normal] = variates * scale + (row[normal] if around_row else mean)
    same = _fill(space, row, random, rows, int(first))
    if first:
        rows[0] = row
    squared = len(same) - same.sum(axis=0, dtype=np.float64)
    if not normal.size:
        return Neighbourhood(rows, same.T, squared)
    design = np.empty_like(rows)
    design[:, space.celled] = same.T
    design[:, normal] = (rows[:, normal] - mean) / scale
    squared += ((design[:, normal] - (row[normal] - mean) / scale) ** 2).sum(axis=1)
    return Neighbourhood(rows, design, squared)


def _fill(space: Partition, row: FloatArray, random: Random, rows: FloatArray, skip: int) -> BoolArray:
    """Fill the celled features and say which are in the row's own cell, (celled, n).

    First all cells are chosen, then values drawn in them; the first `skip` rows draw none and are the row itself.
    Variates come feature by feature, in small arrays that stay in the processor's cache.
    """
    table, own = space.cells.table, space.cells.positions(space.numbers(row))
    chosen = np.empty((space.celled.size, len(rows)), dtype=np.int32)
    same = np.ones(chosen.shape, dtype=np.bool_)
    for c, cells in enumerate(chosen):
        locate(random.random_sample(len(rows)), table[c, 0], cells)
    for c, column in enumerate(space.celled):
        drawing = chosen[c, skip:]
        uniform = random.random_sample(count(drawing, table[c, 1]))
        fill(drawing, uniform, table[c], own[c], rows[skip:, column], same[c, skip:])
    return same
