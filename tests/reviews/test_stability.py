"""Outcomes under tiny changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.records import Feature, FloatArray
from explainer.reviews.stability import PAIRS, stability
from tests.reviews.worlds import world

FEATURES = (
    Feature("x", "number", min=0.0),
    Feature("n", "integer", max=10.0),
    Feature("c", "category", categories=("a", "b")),
    Feature("gone", "number", nullable=True),
)
BACKGROUND = np.column_stack([np.linspace(0, 100, 101), np.arange(101) % 11, np.arange(101) % 2, np.arange(101)])
ROW = np.array([50.0, 5.0, 1.0, np.nan])


def asked_about(row: FloatArray) -> FloatArray:
    asked: list[FloatArray] = []

    def predict(rows: FloatArray) -> FloatArray:
        asked.append(rows)
        return rows[:, 0]

    stability(row, FEATURES, BACKGROUND, predict, lambda s: s > 1e9)
    (rows,) = asked
    return rows


def test_how_rows_are_changed() -> None:
    """One batch: numbers by 2 % of their interquartile range, integers by 1, nothing else; each with its opposite."""
    rows = asked_about(ROW)
    assert len(rows) == 2 * PAIRS
    assert np.abs(rows[:, 0] - 50.0) == pytest.approx(np.full(len(rows), 1.0))
    assert set(rows[:, 1]) == {4.0, 6.0}
    assert set(rows[:, 2]) == {1.0}
    assert np.isnan(rows[:, 3]).all()
    assert rows[:PAIRS, :2] + rows[PAIRS:, :2] == pytest.approx(np.tile([100.0, 10.0], (PAIRS, 1)))


def test_limits_are_kept() -> None:
    """A value at its smallest or largest goes to the other side only."""
    rows = asked_about(np.array([0.0, 10.0, 0.0, np.nan]))
    assert set(rows[:, 0]) == {0.0, 1.0}
    assert set(rows[:, 1]) == {9.0, 10.0}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_told_is_what_was_asked(seed: int) -> None:
    """Share, flips and range are those of the scores; the same row has the same answer."""
    w = world(seed, features=5, wide=True)
    scores: list[FloatArray] = []

    def predict(rows: FloatArray) -> FloatArray:
        scores.append(w.predict(rows))
        return scores[-1]

    found = stability(w.row, w.features, w.background, predict, w.crossed)
    assert found == stability(w.row, w.features, w.background, predict, w.crossed)
    flips = int(w.crossed(scores[0]).sum()) if found.directions else 0
    assert (found.flips, found.unstable, found.evaluations) == (flips, flips > 0, len(scores[0]))
    assert found.kept == pytest.approx(1 - flips / max(1, found.directions))
    assert (found.lowest, found.highest) == (scores[0].min(), scores[0].max())


def test_near_the_threshold() -> None:
    """An outcome that a hundredth of the range turns is unstable and says so; one far from the threshold is not."""
    close = stability(ROW, FEATURES, BACKGROUND, lambda rows: rows[:, 0], lambda s: s > 50.5)
    assert close.unstable
    assert close.told.startswith(f"The outcome hangs on small differences: in {close.flips} of 32 it is the other one")
    safe = stability(ROW, FEATURES, BACKGROUND, lambda rows: rows[:, 0], lambda s: s > 60)
    assert (safe.kept, safe.unstable) == (1.0, False)
    assert "no proof" in safe.told


def test_no_number() -> None:
    """Of a row without numbers nothing can be said, and that is said."""
    features = FEATURES[2:]
    found = stability(ROW[2:], features, BACKGROUND[:, 2:], lambda rows: rows[:, 0], lambda s: s > 5)
    assert (found.directions, found.evaluations, found.unstable) == (0, 1, False)
    assert found.told.startswith("There is no number in the row")
