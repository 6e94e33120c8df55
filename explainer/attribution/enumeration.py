"""Shapley values of a game by every coalition, exact for any model: sum over baselines of 2**players evaluations."""

from __future__ import annotations

from math import comb

import numpy as np

from explainer.attribution.game import BLOCK, Game
from explainer.attribution.maskers import differs, hybrids
from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.ports import Background
from explainer.records import FloatArray


def cost(row: FloatArray, against: Background) -> float:
    """Model rows that `enumerated` evaluates: 2 to the number of differing features, summed over the background."""
    return float(np.exp2(differs(row, against.rows).sum(axis=1)).sum())


def enumerated(game: Game, row: FloatArray, against: Background) -> FloatArray:
    """Exact interventional Shapley values (features, outputs) of `row` against the background.

    The game is v(S) = sum_z w_z f(row_S, z_rest); by linearity its values are the weighted mean of those of the
    single-baseline games, in which a feature that has the same value in both rows is a dummy (Shapley 1953).
    """
    differing = differs(row, against.rows)
    counts = differing.sum(axis=1)
    total: FloatArray | None = None
    for players in np.unique(counts):
        chosen = np.flatnonzero(counts == players)
        who = np.nonzero(differing[chosen])[1].reshape(len(chosen), players)
        phi = shapley(coalition_values(game, row, against.rows[chosen], who))
        if total is None:
            total = np.zeros((row.size, phi.shape[2]))
        shares = against.weights[chosen][:, None, None] * phi
        np.add.at(total, who.ravel(), shares.reshape(-1, phi.shape[2]))
    assert total is not None  # a background has at least one row
    return total


def coalition_values(game: Game, row: FloatArray, baselines: FloatArray, players: IntArray) -> FloatArray:
    """Value of every coalition, shape (z, 2**m, outputs), of z games whose m players are `players` (z, m).

    Coalition number c holds player j where bit j of c is set; the others keep the baseline's value.
    """
    games, m = players.shape
    size = games << m
    parts = [game(_coalitions(row, baselines, players, range(i, min(i + BLOCK, size)))) for i in range(0, size, BLOCK)]
    return np.concatenate(parts).reshape(games, 1 << m, -1)


def _coalitions(row: FloatArray, baselines: FloatArray, players: IntArray, numbers: range) -> FloatArray:
    m = players.shape[1]
    number = np.arange(numbers.start, numbers.stop, dtype=np.int64)
    which = number >> m
    known: BoolArray = np.zeros((len(number), row.size), dtype=np.bool_)
    bits = (number[:, None] >> np.arange(m)) & 1
    np.put_along_axis(known, players[which], bits.astype(np.bool_), axis=1)
    return hybrids(row, baselines[which], known)


def shapley(values: FloatArray) -> FloatArray:
    """Shapley values (z, m, outputs) of z games given by all coalition values (z, 2**m, outputs)."""
    games, coalitions, outputs = values.shape
    m = coalitions.bit_length() - 1
    phi = np.empty((games, m, outputs))
    if m == 0:
        return phi
    weights = coalition_weights(m)
    for j in range(m):
        split = values.reshape(games, 1 << (m - 1 - j), 2, 1 << j, outputs)
        gains = (split[:, :, 1] - split[:, :, 0]).reshape(games, -1, outputs)
        phi[:, j] = np.einsum("zck,c->zk", gains, weights)
    return phi


def coalition_weights(m: int) -> FloatArray:
    """|S|! (m - |S| - 1)! / m! for each of the 2**(m-1) coalitions S of the other players, without any factorial."""
    by_size = np.array([1.0 / (m * comb(m - 1, s)) for s in range(m)])
    return by_size[np.bitwise_count(np.arange(1 << (m - 1), dtype=np.int64))]
