"""What is ordinary in a background, and how near it is to a changed row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.records import Feature
from explainer.reviews.ground import MOST, Ground, Nearness
from explainer.reviews.moves import moves_of
from tests.reviews.worlds import nearest, usual, world


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6))
def test_nearness_of_changed_rows(seed: int) -> None:
    """What is found from the changes alone is the distance that the changed row has to the nearest background row."""
    w = world(seed, features=5, rows=10, wide=True)
    ground = Ground.of(w.features, w.background)
    assert ground.usual == pytest.approx(usual(w))
    moves = moves_of(w.row, w.features, ground)
    near = Nearness(ground, w.row, moves.feature, moves.placed)
    assert near.own == pytest.approx(nearest(w, w.row))
    random = np.random.default_rng(seed)
    sets = [[i, j] for i in range(-1, len(moves)) for j in range(i + 1, len(moves))]
    chosen = np.array([s for s in sets if s[0] < 0 or moves.feature[s[0]] != moves.feature[s[1]]] or [[-1, -1]])
    chosen = chosen[random.permutation(len(chosen))[:8]]
    for pair, found in zip(chosen, near.of(chosen), strict=True):
        row = w.row.copy()
        for move in pair[pair >= 0]:
            row[moves.feature[move]] = moves.value[move]
        assert found == pytest.approx(nearest(w, row))


def test_what_occurs() -> None:
    """Of a category the codes that occur are known, the most common first; of a number its ordinary range."""
    features = (Feature("c", "category", categories=("a", "b", "c", "d")), Feature("x", "number"))
    rows = np.column_stack([[3.0] * 5 + [0.0] * 10 + [1.0] * 5 + [np.nan], np.arange(21.0)])
    ground = Ground.of(features, rows)
    assert [s.tolist() for s in ground.seen] == [[0, 1, 3], []]
    assert (ground.low[1], ground.high[1]) == (1.0, 19.0)
    assert np.isnan(ground.low[0])


def test_a_large_background_is_sampled_evenly() -> None:
    """Distances are taken to at most MOST rows, the first and the last among them; ranges are those of all rows."""
    rows = np.arange(10_000.0)[:, None]
    ground = Ground.of((Feature("x", "number"),), rows)
    assert len(ground.rows) == MOST
    assert ground.rows[[0, -1]].tolist() == ground.gower.placed(rows[[0, -1]]).tolist()
    assert (ground.low[0], ground.high[0]) == (500.0, 9499.0)


def test_a_single_row() -> None:
    """One background row has no neighbour: only what is as near to it as the row itself is plausible."""
    ground = Ground.of((Feature("x", "number"),), np.array([[3.0]]))
    assert ground.usual == 0.0
    assert Nearness(ground, np.array([3.0]), np.empty(0, np.int64), np.empty(0)).own == 0.0
