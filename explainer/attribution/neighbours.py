"""Which background rows resemble a row in the features that are known: the weights of a conditional expectation."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np

from explainer.attribution.game import Game, in_blocks
from explainer.attribution.maskers import hybrids
from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.ports import Background
from explainer.records import FloatArray

UNEQUAL = 2.0  # squared distance of unequal categories: what two numbers, standardised, differ by on average
KEPT = 0.99  # of the weight: rows beyond it would cost evaluations and say nothing
TOGETHER = 64  # coalitions whose rows are made at once


def squared_distances(row: FloatArray, against: Background, kinds: IntArray) -> FloatArray:
    """How far each background row is from `row` in each feature, (z, d): numbers in standard deviations, squared.

    A category or a missing value is at distance 0 from itself and UNEQUAL from everything else.
    """
    rows, weights = against.rows, against.weights[:, None] * ~np.isnan(against.rows)
    known = np.maximum(weights.sum(axis=0), 1e-300)
    mean = (weights * np.nan_to_num(rows)).sum(axis=0) / known
    variance = (weights * np.nan_to_num(rows - mean) ** 2).sum(axis=0) / known
    gone, missing = np.isnan(rows), np.isnan(row)
    off = np.nan_to_num(rows) - np.nan_to_num(row)
    unequal = np.where(off != 0, UNEQUAL, 0.0)
    numbers = np.where(variance > 0, off**2 / np.where(variance > 0, variance, 1.0), unequal)
    apart = np.where(kinds > 0, unequal, numbers)
    return np.asarray(np.where(gone | missing, np.where(gone & missing, 0.0, UNEQUAL), apart))


def likeness(squared: FloatArray, known: BoolArray, weights: FloatArray) -> FloatArray:
    """Weights (n, z) of the background rows for each coalition `known` (n, d); each line sums to 1.

    A Gaussian kernel of the mean squared distance over the known features, as in the empirical approach of Aas, Jullum
    and Loland 2021 (Artificial Intelligence 298, 103502, section 3.3), but with a bandwidth that is the distance of the
    ceil(sqrt(z))-th nearest row, so that about as many rows count whatever the number of features. The rows that
    carry KEPT of the weight stay. Where nothing is known the background's own weights stand.
    """
    count = np.maximum(known.sum(axis=1), 1)[:, None]
    mean = np.where(known[:, None, :], squared[None], 0.0).sum(axis=2) / count
    nearest = ceil(sqrt(len(weights)))
    width = np.partition(mean, nearest - 1, axis=1)[:, [nearest - 1]]
    kernel = np.where(width > 0, np.exp(-mean / (2 * np.where(width > 0, width, 1.0))), mean <= 0)
    alike = weights * kernel
    alike /= alike.sum(axis=1, keepdims=True)
    order = np.argsort(-alike, axis=1, kind="stable")
    before = np.cumsum(np.take_along_axis(alike, order, axis=1), axis=1) - np.take_along_axis(alike, order, axis=1)
    kept = np.zeros(alike.shape, dtype=np.bool_)
    np.put_along_axis(kept, order, before < KEPT, axis=1)
    some = known.any(axis=1, keepdims=True)
    alike = np.where(kept | ~some, np.where(some, alike, weights), 0.0)
    return np.asarray(alike / alike.sum(axis=1, keepdims=True))


def conditional_values(
    game: Game, row: FloatArray, against: Background, squared: FloatArray, known: BoolArray
) -> tuple[FloatArray, int]:
    """v(S) = sum_z w_S(z) f(row_S, z_rest) of each coalition `known` (n, d): (n, outputs), and model rows evaluated."""
    parts, spent = [], 0
    for first in range(0, len(known), TOGETHER):
        held = known[first : first + TOGETHER]
        weights = likeness(squared, held, against.weights)
        which, z = np.nonzero(weights)
        seen = in_blocks(game, hybrids(row, against.rows[z], held[which]))
        values = np.zeros((len(held), seen.shape[1]))
        np.add.at(values, which, weights[which, z][:, None] * seen)
        parts.append(values)
        spent += len(which)
    return np.concatenate(parts), spent
