"""One pass of antithetic permutation walks: from every background row to the explained row, forwards and backwards."""

from __future__ import annotations

import numpy as np

from explainer.attribution.game import Game, in_blocks
from explainer.attribution.maskers import hybrids
from explainer.attribution.model import BoolArray, IntArray
from explainer.records import FloatArray


def steps(differing: BoolArray) -> int:
    """Model rows of one pass: a walk over m features has m - 1 inner points, and each pair is two walks."""
    return int(2 * np.maximum(differing.sum(axis=1) - 1, 0).sum())


def walk_pairs(
    game: Game, row: FloatArray, baselines: tuple[FloatArray, FloatArray], prediction: FloatArray, keys: FloatArray
) -> FloatArray:
    """The mean marginal gain of every feature over a walk and its reverse, shape (passes, z, features, outputs).

    `baselines` are rows (z, features) and their values (z, outputs), `prediction` is the row's value (outputs,).
    `keys` (passes, z, features) are uniform draws, infinite where row and baseline do not differ: features become
    known in the order of their keys, and in the reverse order in the second walk of the pair. Each pair's gains sum
    to f(row) - f(baseline) exactly. Antithetic permutation sampling: Mitchell et al. 2022, section 4.
    """
    passes, games, features = keys.shape
    starts, values = (np.tile(part, (passes, 1)) for part in baselines)
    gains = _pairs(game, row, (starts, values), prediction, keys.reshape(-1, features))
    return gains.reshape(passes, games, features, prediction.size)


def _pairs(
    game: Game, row: FloatArray, baselines: tuple[FloatArray, FloatArray], prediction: FloatArray, keys: FloatArray
) -> FloatArray:
    order = np.argsort(keys, axis=1, kind="stable")
    counts = np.isfinite(keys).sum(axis=1)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(keys.shape[1])[None], axis=1)
    which, step = points = _inner_points(counts)
    forward = place[which] < step[:, None]
    backward = place[which] >= (counts[which] - step)[:, None]
    rows = np.concatenate([hybrids(row, baselines[0][which], known) for known in (forward, backward)])
    seen = in_blocks(game, rows) if len(rows) else np.empty((0, prediction.size))
    there, back = (_gains(part, points, (baselines[1], prediction), keys.shape[1]) for part in np.split(seen, 2))
    return (_by_feature(there, order) + _by_feature(back, _reversed(order, counts))) / 2


def _inner_points(counts: IntArray) -> tuple[IntArray, IntArray]:
    """For every walk its inner points: the walk's number, and how many features are known there."""
    inner = np.maximum(counts - 1, 0)
    which = np.repeat(np.arange(len(counts)), inner)
    start = np.cumsum(inner) - inner
    return which, np.arange(len(which)) - start[which] + 1


def _gains(
    seen: FloatArray, points: tuple[IntArray, IntArray], ends: tuple[FloatArray, FloatArray], features: int
) -> FloatArray:
    """Gain of every step, shape (z, features, outputs); a walk that is at its end stays there."""
    starts, end = ends
    path = np.broadcast_to(end, (len(starts), features + 1, end.size)).copy()
    path[:, 0] = starts
    path[points] = seen
    return np.diff(path, axis=1)


def _reversed(order: IntArray, counts: IntArray) -> IntArray:
    """The order of the way back: the differing features turned round, the others left where they are."""
    position = np.arange(order.shape[1])[None]
    turned = np.where(position < counts[:, None], counts[:, None] - 1 - position, position)
    return np.take_along_axis(order, turned, axis=1)


def _by_feature(gains: FloatArray, order: IntArray) -> FloatArray:
    out = np.empty_like(gains)
    np.put_along_axis(out, order[:, :, None], gains, axis=1)
    return out
