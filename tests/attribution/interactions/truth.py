"""The Shapley interaction index as its authors write it, by plain enumeration."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np

from explainer.attribution.game import Game
from explainer.attribution.ports import Background
from explainer.records import FloatArray


def index(value: Callable[[int], FloatArray], players: int) -> FloatArray:
    """Indices (players, players, outputs) by summing over every coalition, given as bits, of the other players."""
    v = [np.asarray(value(s), dtype=np.float64) for s in range(2**players)]
    found = np.zeros((players, players, len(v[0])))
    for i in range(players):
        for j in range(players):
            for s in range(2**players if i != j else 0):
                if (s >> i) & 1 or (s >> j) & 1:
                    continue
                size = s.bit_count()
                share = factorial(size) * factorial(players - size - 2) / factorial(players - 1)
                found[i, j] += share * (v[s | 1 << i | 1 << j] - v[s | 1 << i] - v[s | 1 << j] + v[s])
    return found


def interventional(game: Game, row: FloatArray, against: Background) -> FloatArray:
    """The index of v(S) = sum_z w_z f(row_S, z_rest) for all pairs of features of `row`."""

    def value(coalition: int) -> FloatArray:
        held = np.array([(coalition >> i) & 1 for i in range(row.size)], dtype=bool)
        return np.asarray(against.weights @ game(np.where(held, row, against.rows)))

    return index(value, row.size)
