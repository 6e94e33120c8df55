from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.attribution.trees.coalitions import answers, attribute, contest, cost
from explainer.attribution.trees.differences import MOST
from explainer.attribution.trees.links import LOGISTIC_PROBABILITY, SOFTMAX_LOG_ODDS, SOFTMAX_PROBABILITY, linked
from explainer.formats.structure.one_tree import OneTree, together
from tests.attribution.trees.forests import interventional, margin, random_rows, random_trees, random_weights


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    players=st.integers(1, 7),
    columns=st.integers(2, 9),
    depth=st.integers(0, 7),
    link=st.sampled_from([LOGISTIC_PROBABILITY, SOFTMAX_PROBABILITY, SOFTMAX_LOG_ODDS]),
    rows=st.sampled_from([1, 3, 30]),
)
def test_links_of_random_forests_agree_with_enumeration(
    seed: int, players: int, columns: int, depth: int, link: int, rows: int
) -> None:
    """Moebius, zeta and Shapley's weights give what evaluating the linked model on every coalition gives."""
    owner = np.random.default_rng(seed).integers(0, players, columns)
    owner[0] = players - 1
    outputs = 1 if link == LOGISTIC_PROBABILITY else 3
    classes = np.arange(max(2, outputs))
    trees = random_trees(seed, columns=columns, depth=depth, outputs=outputs)
    z, weights, x = random_rows(seed + 1, rows, columns), random_weights(seed, rows), random_rows(seed + 2, 2, columns)
    game = contest(trees, owner, players, z, weights)
    found, evaluated = attribute(game, x, link, classes)

    def model(rows: np.ndarray) -> np.ndarray:
        return linked(margin(trees)(rows), link, classes)

    for i in range(2):
        assert np.allclose(found[i], interventional(model, x[i], z, weights, owner), rtol=0, atol=1e-11)
        assert evaluated[i] == cost(game, x[i], 1 << 40)
    assert np.allclose(answers(game, x, link, classes), model(x), rtol=0, atol=1e-14)


def test_background_rows_that_decide_alike_are_one() -> None:
    """Rows on the same side of every threshold are put together with their weights."""
    trees = random_trees(4, columns=2, depth=2)
    z = np.array([[1.30, 1.4], [1.31, 1.45], [-1.4, np.nan]])
    game = contest(trees, np.arange(2), 2, z, np.array([0.2, 0.3, 0.5]))
    assert len(game.background) <= 2
    assert np.isclose(game.weights.sum(), 1.0)
    assert np.isclose(game.weights[0], 0.5)


def test_cost_stops_at_the_limit() -> None:
    """Beyond the limit the exact number is not worked out."""
    trees = random_trees(8, columns=8, depth=6, trees=9)
    z, x = random_rows(1, 60, 8), random_rows(2, 1, 8)[0]
    game = contest(trees, np.arange(8), 8, z, random_weights(1, 60))
    full = cost(game, x, 1 << 40)
    assert 60 < full <= 60 * 2**8
    assert cost(game, x, full) == full
    assert cost(game, x, full - 1) == full


def test_more_players_than_can_be_enumerated_are_refused() -> None:
    """A row that differs in more than MOST features that decide is priced above any limit, and refused."""
    stumps = [
        OneTree([c, 0, 0], [0] * 3, [0.0] * 3, [1, -1, -1], [2, -1, -1], [False] * 3, np.eye(3, 1, -1), [2, 1, 1])
        for c in range(MOST + 1)
    ]
    trees = together(stumps, [0.0], single=False)
    game = contest(trees, np.arange(MOST + 1), MOST + 1, np.ones((1, MOST + 1)), np.ones(1))
    assert cost(game, -np.ones(MOST + 1), 1 << 40) == (1 << 40) + 1
    with pytest.raises(ValueError, match="more than 20 features"):
        attribute(game, -np.ones((1, MOST + 1)), LOGISTIC_PROBABILITY, np.array([1]))
