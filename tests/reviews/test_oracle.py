"""What the model is asked."""

from __future__ import annotations

import numpy as np

from explainer.records import Feature, FloatArray
from explainer.reviews.ground import Ground, Nearness
from explainer.reviews.moves import moves_of
from explainer.reviews.oracle import BATCH, Oracle

FEATURES = (Feature("a", "integer"), Feature("b", "integer"))
ROWS = np.random.default_rng(0).integers(0, 9, (50, 2)).astype(np.float64)


def test_sets_become_rows_in_batches() -> None:
    """Each set of changes is made to the row, nothing else is; questions have at most BATCH rows, all are counted."""
    asked: list[FloatArray] = []

    def predict(rows: FloatArray) -> FloatArray:
        asked.append(rows)
        return rows.sum(axis=1)

    row, ground = np.array([4.0, 4.0]), Ground.of(FEATURES, ROWS)
    moves = moves_of(row, FEATURES, ground)
    oracle = Oracle(row, moves, Nearness(ground, row, moves.feature, moves.placed), predict, lambda s: s < 3)
    last = len(moves) - 1
    sets = np.array([[-1, -1], [0, -1], [0, last]] + [[-1, last]] * BATCH)
    scores = oracle.scores(sets)
    a, b = moves.value[0], moves.value[last]
    assert scores[:4].tolist() == [8.0, a + 4, a + b, 4 + b]
    assert [len(rows) for rows in asked] == [BATCH, 3]
    assert (oracle.evaluations, oracle.batches, oracle.toward) == (BATCH + 3, 2, -1.0)
    assert oracle.steps(sets)[:3].tolist() == [0, moves.steps[0], moves.steps[0] + moves.steps[last]]
    assert oracle.costs(sets)[2] == ground.gower.between(row, np.array([[a, b]]))[0]
