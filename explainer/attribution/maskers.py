"""How an absent feature is filled: with the value that a background row has there."""

from __future__ import annotations

import numpy as np

from explainer.attribution.game import Game, in_blocks
from explainer.attribution.model import BoolArray
from explainer.attribution.ports import Background
from explainer.records import FloatArray


def background(rows: FloatArray, digest: str, name: str = "default") -> Background:
    """Distinct rows, in order of first appearance, weighted by how often each occurs. NaN equals NaN, -0 equals 0.

    `rows` has shape (n, features); raises ValueError when there are none.
    """
    if len(rows) == 0:
        raise ValueError("A background needs at least one row.")
    first: dict[bytes, int] = {}
    counts: dict[bytes, int] = {}
    for i, row in enumerate(canonical(rows)):
        key = row.tobytes()
        first.setdefault(key, i)
        counts[key] = counts.get(key, 0) + 1
    distinct = np.ascontiguousarray(canonical(rows)[list(first.values())])
    weights = np.array(list(counts.values()), dtype=np.float64) / len(rows)
    return Background(distinct, weights, digest, name)


def canonical(rows: FloatArray) -> FloatArray:
    """The same rows with one bit pattern for every missing value and one for zero."""
    values = np.asarray(rows, dtype="<f8") + 0.0
    return np.where(np.isnan(values), np.nan, values)


def differs(row: FloatArray, baselines: FloatArray) -> BoolArray:
    """Where `row` (features,) is not the value of each baseline (z, features); a missing value equals a missing one."""
    same = (baselines == row) | (np.isnan(baselines) & np.isnan(row))
    return np.asarray(~same)


def hybrids(row: FloatArray, baselines: FloatArray, known: BoolArray) -> FloatArray:
    """Rows that have `row`'s value where `known` and the baseline's elsewhere; shapes (d,), (n, d), (n, d)."""
    return np.where(known, row, baselines)


def baseline_values(game: Game, against: Background) -> tuple[FloatArray, FloatArray]:
    """Values of every background row (z, outputs) and their weighted mean (outputs,), the expected value."""
    values = in_blocks(game, against.rows)
    return values, (against.weights[:, None] * values).sum(axis=0)
