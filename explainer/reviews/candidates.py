"""Sets of changes worth asking the model about: all of them where they are few, the most promising otherwise."""

from __future__ import annotations

from math import prod

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.records import FloatArray
from explainer.reviews.moves import Moves

LEVELS = 6  # values of one feature that are combined with others
MOST_FRONT = 160  # values of all features that are combined
BEAM = 40  # sets that are extended by one change more
OF_ONE_KIND = 4  # of them that change the same features


def possible(moves: Moves, free: BoolArray, changes: int) -> int:
    """How many sets of so many changes of different features there are among the moves that are `free` (moves,)."""
    counts = np.unique(moves.feature[free], return_counts=True)[1].tolist()
    ways = [1] + [0] * changes
    for count in counts:
        for k in range(changes, 0, -1):
            ways[k] += ways[k - 1] * count
    return ways[changes]


def thinned(moves: Moves, most: int) -> IntArray:
    """All moves if they are at most so many, otherwise evenly spread ones of each feature, its outermost among them."""
    if len(moves) <= most:
        return np.arange(len(moves))
    features, first, counts = np.unique(moves.feature, return_index=True, return_counts=True)
    each = max(1, most // len(features))
    picked = [
        start + np.unique(np.linspace(count - 1, 0, min(count, each)).astype(np.int64))
        for start, count in zip(first.tolist(), counts.tolist(), strict=True)
    ]
    return np.asarray(np.concatenate(picked)[:most])


def every(moves: Moves, free: BoolArray, changes: int) -> IntArray:
    """All sets (sets, changes) of free moves of different features, in the order of the schema."""
    ids = np.flatnonzero(free)
    sets = ids[:, None]
    for _ in range(changes - 1):
        one, other = np.nonzero(moves.feature[sets[:, -1]][:, None] < moves.feature[ids])
        sets = np.column_stack([sets[one], ids[other]])
    return sets


def front(moves: Moves, tried: IntArray, gains: FloatArray, free: BoolArray) -> tuple[IntArray, FloatArray]:
    """Of the moves `tried` those that no nearer value of their feature outdoes, thinned, and their gains.

    A feature whose changes all gain nothing keeps its best one: it may gain something together with others.
    """
    found: list[int] = []
    known = np.full(len(moves), -np.inf)
    known[tried] = gains
    order = tried[np.lexsort((moves.steps[tried], moves.part[tried], moves.feature[tried]))]
    order = order[free[order]]
    groups = np.split(order, np.flatnonzero(np.diff(moves.feature[order])) + 1) if len(order) else []
    groups.sort(key=lambda group: -float(known[group].max()))
    levels = min(LEVELS, max(2, MOST_FRONT // max(1, len(groups))))
    for group in groups[: MOST_FRONT // levels]:
        best = np.maximum.accumulate(known[group])
        leading = group[np.concatenate([[True], best[1:] > best[:-1]]) & (known[group] > 0)]
        if not len(leading):
            leading = group[[int(known[group].argmax())]]
        if len(leading) > levels:
            leading = leading[np.linspace(len(leading) - 1, 0, levels).astype(np.int64)]
        found += leading.tolist()
    chosen = np.array(sorted(found), dtype=np.int64)
    return chosen, known[chosen]


def beam(moves: Moves, sets: IntArray, gains: FloatArray) -> tuple[IntArray, FloatArray]:
    """The sets that gain most, at most OF_ONE_KIND of those that change the same features, and their gains."""
    order = np.argsort(-gains, kind="stable")
    order = order[rank_in(kinds(moves, sets[order])) < OF_ONE_KIND][:BEAM]
    return sets[order], gains[order]


def extended(
    moves: Moves, parents: tuple[IntArray, FloatArray], more: tuple[IntArray, FloatArray]
) -> tuple[IntArray, FloatArray]:
    """Every set with one move more of another feature, each once, and what it gains if gains add up."""
    (sets, gains), (ids, added) = parents, more
    fits = (moves.feature[sets][:, :, None] != moves.feature[ids]).all(axis=1)
    if sets.shape[1] == 1:
        one, other = np.nonzero(fits & (sets < ids))  # a pair of moves of one list is met twice
        return np.column_stack([sets[one], ids[other]]), gains[one] + added[other]
    one, other = np.nonzero(fits)
    grown = np.sort(np.column_stack([sets[one], ids[other]]), axis=1)
    kept = np.unique(_keys(grown), return_index=True)[1]
    return grown[kept], (gains[one] + added[other])[kept]


def promising(kind: IntArray, predicted: BoolArray, costs: FloatArray, gains: FloatArray) -> IntArray:
    """An order (sets,) that takes the best of every kind of set first, then the second best of each, and so on.

    Best is the nearest of those that should do, then the one that gains most.
    """
    promise = np.where(predicted, 3.0 - costs, gains / (np.abs(gains).max(initial=0.0) or 1.0))
    order = np.lexsort((-promise, kind))
    return np.asarray(order[np.lexsort((-promise[order], rank_in(kind[order])))])


def kinds(moves: Moves, sets: IntArray) -> IntArray:
    """A number (sets,) for each combination of features."""
    features = np.unique(moves.feature[sets], return_inverse=True)[1].reshape(sets.shape)
    return _keys(features)


def rank_in(kind: IntArray) -> IntArray:
    """How many before it are of its kind, for each (n,)."""
    order = np.argsort(kind, kind="stable")
    start = np.searchsorted(kind[order], kind[order])
    rank = np.empty(len(kind), dtype=np.int64)
    rank[order] = np.arange(len(kind)) - start
    return rank


def _keys(sets: IntArray) -> IntArray:
    """A number for each line of small numbers (n, k), the same for the same line."""
    values, places = np.unique(sets, return_inverse=True)
    places = places.reshape(sets.shape)
    weights = [prod([len(values)] * j) for j in range(sets.shape[1])]
    return np.asarray(places @ np.array(weights, dtype=np.int64))
