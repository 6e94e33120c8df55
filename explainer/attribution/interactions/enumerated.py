"""Interactions of any model by every coalition of the features that differ from the background: exact."""

from __future__ import annotations

import numpy as np

from explainer.attribution.enumeration import coalition_values, cost
from explainer.attribution.game import Game
from explainer.attribution.interactions.index import indices, spread
from explainer.attribution.interactions.matrix import Matrix, exact
from explainer.attribution.maskers import baseline_values, differs
from explainer.attribution.ports import Background
from explainer.records import FloatArray


def enumerated(game: Game, row: FloatArray, against: Background) -> Matrix:
    """The indices of v(S) = sum_z w_z f(row_S, z_rest): the weighted mean of those of the single-baseline games.

    A feature that has the same value in both rows is a dummy of that game and interacts with nobody.
    """
    differing = differs(row, against.rows)
    counts = differing.sum(axis=1)
    expected = baseline_values(game, against)[1]
    found, phi = np.zeros((row.size, row.size, expected.size)), np.zeros((row.size, expected.size))
    for players in np.unique(counts):
        chosen = np.flatnonzero(counts == players)
        who = np.nonzero(differing[chosen])[1].reshape(len(chosen), players)
        for z, values in zip(range(len(chosen)), coalition_values(game, row, against.rows[chosen], who), strict=True):
            wide, tall = spread(*indices(values), who[z], row.size)
            found += against.weights[chosen[z]] * wide
            phi += against.weights[chosen[z]] * tall
    return exact(found, phi, expected, int(cost(row, against)))
