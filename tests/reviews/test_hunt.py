"""How a search goes on from what it found."""

from __future__ import annotations

import numpy as np

from explainer.records import Feature, FloatArray
from explainer.reviews.counterfactuals import Limits, search
from explainer.reviews.hunt import Tried

FEATURES = tuple(Feature(f"f{i}", "integer") for i in range(4))
GRID = np.random.default_rng(0).integers(0, 10, (80, 4)).astype(np.float64)
ZERO = np.zeros(4)


def test_changes_are_exchanged_for_nearer_ones() -> None:
    """Two numbers that add up are found first; one is then exchanged for a value that acts on nothing by itself."""

    def predict(rows: FloatArray) -> FloatArray:
        return rows[:, 0] + rows[:, 1] + 20.0 * ((rows[:, 0] >= 3) & (rows[:, 2] == 7))

    found = search(ZERO, FEATURES, GRID, predict, lambda s: s >= 17, Limits(2, 1, 450))
    assert not found.exhaustive[1]
    assert [(c.feature, c.after) for c in found.answers[0].changes] == [("f0", 3), ("f2", 7)]


def test_evaluations_are_counted_by_their_kind() -> None:
    """What was tried adds up: the row itself, single changes, pairs, triples; the rest went into pulling back."""
    found = search(ZERO, FEATURES, GRID, lambda rows: rows.sum(axis=1), lambda s: s >= 22, Limits(3, 3, 1500))
    assert found.tried[0] == Tried(1, 36, 36, True)
    assert [t.changes for t in found.tried] == [1, 2, 3]
    tried = 1 + sum(t.evaluated for t in found.tried)
    assert tried <= found.evaluations <= 1500
    assert all(a.score == 22.0 and a.minimal for a in found.answers)


def test_answers_have_different_features() -> None:
    """Three answers of two changes each name three different pairs, the nearest of all first."""
    found = search(ZERO, FEATURES, GRID, lambda rows: rows.sum(axis=1), lambda s: s >= 12)
    named = [tuple(c.feature for c in a.changes) for a in found.answers]
    assert len(set(named)) == 3
    assert all(len(n) == 2 for n in named)
    assert [a.distance for a in found.answers] == sorted(a.distance for a in found.answers)


def test_one_change_where_single_ones_are_thinned() -> None:
    """With too few evaluations for all single changes a coarse one is found and pulled back to the first that does."""
    features = (Feature("x", "integer"), Feature("y", "integer"))
    rows = np.random.default_rng(0).integers(0, 200, (100, 2)).astype(np.float64)
    found = search(np.array([10.0, 10.0]), features, rows, lambda r: r[:, 0], lambda s: s >= 93, Limits(1, 1, 150))
    assert not found.tried[0].whole
    (answer,) = found.answers
    assert answer.minimal
    assert answer.score == 94.0
    assert "evenly spread" in found.told
