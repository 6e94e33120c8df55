"""The meter sees what a clone would be worth, and tells thieves' questions from honest ones."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.monitoring.extraction import Basis, Tally, agreement, patterns, small_steps
from explainer.records import FloatArray

KINDS = (0, 0, 0, 4, 2)


def people(count: int, seed: int) -> FloatArray:
    """Rows with two numbers that go together, a third, a category and a boolean."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=count)
    second = first + 0.3 * rng.normal(size=count)
    return np.column_stack(
        [first, second, rng.normal(size=count), rng.integers(4, size=count), rng.integers(2, size=count)]
    )


def margins(rows: FloatArray) -> FloatArray:
    return np.asarray(1.5 * np.sin(rows[:, 0]) + rows[:, 2] + 0.5 * (rows[:, 3] == 2) - 0.2, dtype=np.float64)


BACKGROUND = people(100, 0)
BASIS = Basis(BACKGROUND, KINDS)


def heard(rows: FloatArray, told: FloatArray | None = None, steps: int = 0) -> Tally:
    tally = Tally.empty(BASIS(rows[:1]).shape[1])
    tally.hear(BASIS, rows, margins(rows) if told is None else told, steps)
    return tally


def test_it_grows_with_what_was_answered() -> None:
    """Nothing known agrees by chance, a thousand answers nearly always, and parts add up to the whole."""
    found = [agreement(heard(people(n, 1)), BASIS, BACKGROUND, margins(BACKGROUND)) for n in (3, 50, 1000)]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.95
    rows = people(300, 2)
    parts = heard(rows[:100])
    parts.add(heard(rows[100:]))
    np.testing.assert_allclose(parts.xtx, heard(rows).xtx)


def test_honest_streams_raise_nothing() -> None:
    """A hundred streams of honest rows, no pattern in any of them."""
    told = margins(BACKGROUND)
    assert [patterns(heard(people(400, seed)), told) for seed in range(1, 101)] == [()] * 100


@pytest.mark.parametrize("way", ["uniform", "grid", "line", "threshold"])
def test_questions_of_thieves_are_seen_within_a_hundred(way: str) -> None:
    """Uniform noise, an enumeration, a walk in small steps and a search along the threshold."""
    rng = np.random.default_rng(5)
    rows = people(100, 3)
    if way == "uniform":
        rows[:, :3] = rng.uniform(-3, 3, size=(100, 3))
    elif way == "grid":
        rows[:, :2] = np.stack(np.meshgrid(np.linspace(-3, 3, 10), np.linspace(-3, 3, 10)), axis=-1).reshape(-1, 2)
    elif way == "line":
        rows = np.repeat(rows[:1], 100, axis=0)
        rows[:, 2] = np.linspace(-1, 1, 100)
    else:
        many = people(20_000, 4)
        rows = many[np.argsort(np.abs(margins(many)))][:100]
    tally = heard(rows, steps=small_steps(rows, rows[:0]))
    assert patterns(tally, margins(BACKGROUND))


def test_missing_values_are_values() -> None:
    """A missing cell is known as such: neither a crash nor a foreign row where the background misses some too."""
    background = people(100, 0)
    background[::5, 1] = np.nan
    basis, rows = Basis(background, KINDS), people(50, 1)
    rows[::5, 1] = np.nan
    tally = Tally.empty(basis(rows).shape[1])
    tally.hear(basis, rows, margins(rows))
    assert np.isfinite(tally.xtx).all()
    assert small_steps(rows[:1], rows[:1] + np.array([0, 0, 1, 0, 0])) == 1
