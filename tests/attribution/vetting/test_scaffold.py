"""A model that is another one on perturbed rows is told from one that is the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.vetting.scaffold import Gap, gaps
from explainer.records import FloatArray

KINDS = np.zeros(6, dtype=np.int64)


def real(count: int, seed: int) -> FloatArray:
    """Rows on a line with some noise: whatever mixes two of them lies off the line."""
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 1)) + 0.1 * random.normal(size=(count, 6))


def on_the_line(rows: FloatArray) -> FloatArray:
    return rows.std(axis=1) < 0.3


def two_classes(positive: FloatArray) -> FloatArray:
    return np.column_stack([1 - positive, positive])


def smooth(rows: FloatArray) -> FloatArray:
    return two_classes(1 / (1 + np.exp(-rows[:, 0] - rows[:, 1] * rows[:, 2])))


def scaffold(rows: FloatArray) -> FloatArray:
    return two_classes(np.where(on_the_line(rows), rows[:, 0] > 0, rows[:, 5] < 0.3).astype(float))


def regression(rows: FloatArray) -> FloatArray:
    return 1e6 * np.where(on_the_line(rows), rows[:, 0], np.cos(rows[:, 5]))[:, None]


def test_an_honest_model_has_no_gap() -> None:
    """A smooth model with an interaction is no worse known on real rows than on perturbed ones."""
    for gap in gaps(smooth, real(100, 0), real(20, 1), KINDS, 1000):
        assert not gap.suspicious
        assert gap.background < 0.05


@pytest.mark.parametrize("model", [scaffold, regression])
def test_a_scaffold_is_found(model) -> None:  # type: ignore[no-untyped-def]
    """A model that decides by another feature once a row looks mixed is found, in any unit."""
    found = gaps(model, real(100, 0), real(20, 1), KINDS, 1000)
    assert any(gap.suspicious for gap in found)
    assert not any(gap.by_heart for gap in found)


def test_learning_by_heart_is_told_from_deceiving() -> None:
    """A model that is surer of its own training rows than of all others, real ones too, has learnt them by heart."""
    background = real(100, 0)
    own = {row.tobytes() for row in background}

    def model(rows: FloatArray) -> FloatArray:
        known = np.array([row.tobytes() in own for row in rows])
        return two_classes(0.5 + np.where(known, 0.3, 0.12) * np.sign(np.sin(1e4 * rows[:, 3])))

    found = gaps(model, background, real(20, 1), KINDS, 1000)
    assert any(gap.by_heart for gap in found)
    assert not any(gap.suspicious for gap in found)


@pytest.mark.parametrize(
    ("gap", "suspicious", "by_heart"),
    [
        (Gap("", 0.30, 0.28, 0.05), True, False),
        (Gap("", 0.30, None, 0.05), True, False),
        (Gap("", 0.30, 0.25, 0.11), True, False),
        (Gap("", 0.17, 0.02, 0.05), False, True),
        (Gap("", 0.17, None, 0.05), False, False),
        (Gap("", 0.07, 0.07, 0.00), False, False),
        (Gap("", -0.10, -0.05, 0.30), False, False),
    ],
)
def test_what_a_gap_means(gap: Gap, suspicious: bool, by_heart: bool) -> None:
    """Large against the surrogate's own error is a scaffold; large on the background alone is learning by heart."""
    assert (gap.suspicious, gap.by_heart and not gap.suspicious) == (suspicious, by_heart)
