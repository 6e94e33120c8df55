"""Which values may change, and to what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.records import Feature, FloatArray
from explainer.reviews.ground import Ground
from explainer.reviews.moves import MOST_VALUES, Moves, moves_of, round_step
from tests.reviews.worlds import world

NAN = float("nan")


def of(feature: Feature, own: float, column: list[float]) -> Moves:
    background = np.array(column)[:, None]
    return moves_of(np.array([own]), (feature,), Ground.of((feature,), background))


def values(feature: Feature, own: float, column: list[float]) -> list[float]:
    return of(feature, own, column).value.tolist()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_every_move_keeps_every_rule(seed: int, wide: bool) -> None:
    """Mutable, direction, min, max, whole numbers, steps, known categories and the background's range are kept."""
    w = world(seed, features=6, wide=wide)
    moves = moves_of(w.row, w.features, Ground.of(w.features, w.background))
    for i, value in zip(moves.feature.tolist(), moves.value.tolist(), strict=True):
        feature, own, column = w.features[i], float(w.row[i]), w.background[:, i]
        check_rules(feature, own, value, column)


def check_rules(feature: Feature, own: float, value: float, column: FloatArray) -> None:
    assert feature.mutable
    assert not np.isnan(value)
    assert value != own
    assert feature.changes != "up" or value > own
    assert feature.changes != "down" or value < own
    if feature.type in ("category", "boolean"):
        assert value in column
        return
    assert feature.min is None or value >= feature.min
    assert feature.max is None or value <= feature.max
    assert feature.type != "integer" or value.is_integer()
    assert feature.step is None or (value - own) / feature.step == pytest.approx(round((value - own) / feature.step))
    low, high = np.nanquantile(column, [0.05, 0.95], method="nearest")
    assert np.fmin(low, own) <= value <= np.fmax(high, own)


def test_few_values_are_all_there() -> None:
    """An integer between 3 and 9 can become each of these numbers but its own."""
    feature = Feature("n", "integer")
    assert values(feature, 5.0, [float(x) for x in range(3, 10)] * 3) == [3, 4, 6, 7, 8, 9]


def test_round_numbers() -> None:
    """A number without a step changes to round numbers, so many that a feature has at most MOST_VALUES."""
    found = values(Feature("x", "number"), 12.37, list(np.linspace(0.0, 41.3, 200)))
    assert len(found) <= MOST_VALUES + 1
    assert found == [round(x * 0.5, 1) for x in range(len(found) + 5) if min(found) <= x * 0.5 <= max(found)]


def test_multiples_of_a_step() -> None:
    """With a step the values are multiples of it away from the row's own, within min and max, in its direction."""
    feature = Feature("x", "number", min=0.0, max=1.05, step=0.1, changes="up")
    assert values(feature, 0.75, list(np.linspace(0, 1, 50))) == [0.85, 0.95]
    down = Feature("x", "number", min=0.0, max=1.05, step=0.1, changes="down")
    assert values(down, 0.25, list(np.linspace(0, 1, 50))) == [0.05, 0.15]


def test_a_small_step_is_taken_many_at_a_time() -> None:
    """A step of 1 over a range of 100,000 gives multiples of a larger one, not a hundred thousand values."""
    found = np.array(values(Feature("x", "integer", step=1.0), 50_123.0, list(np.linspace(0, 100_000, 100))))
    assert MOST_VALUES // 3 < len(found) <= MOST_VALUES + 1
    assert ((found - 50_123) % 1000 == 0).all()


def test_what_is_missing() -> None:
    """A missing value can become known; not where its step or its direction would have to be counted from it."""
    column = [1.0, 2.0, 3.0] * 5
    assert values(Feature("x", "integer", nullable=True), NAN, column) == [1, 2, 3]
    assert values(Feature("x", "integer", nullable=True, step=1.0), NAN, column) == []
    assert values(Feature("x", "integer", nullable=True, changes="up"), NAN, column) == []
    assert values(Feature("x", "boolean", nullable=True), NAN, [1.0, NAN]) == [1]
    assert values(Feature("x", "number", nullable=True), 2.0, [NAN, NAN]) == []
    assert values(Feature("x", "number", nullable=True), NAN, [4.5, 4.5]) == [4.5]


def test_outside_the_ordinary() -> None:
    """A number beyond what the background shows can go toward it, and stop on the way."""
    found = values(Feature("x", "integer"), 30.0, [float(x) for x in range(1, 11)] * 2)
    assert (min(found), max(found)) == (1, 29)


def test_the_order_of_steps() -> None:
    """Steps count from the row's own value to both sides; nearer moves are those between; categories have none."""
    moves = of(Feature("n", "integer"), 5.0, [3.0, 4, 6, 7, 8] * 4)
    assert moves.steps.tolist() == [2, 1, 1, 2, 3]
    assert moves.nearer(4).tolist() == [2, 3]
    assert moves.nearer(0).tolist() == [1]
    kinds = of(Feature("c", "category", categories=("a", "b", "c")), 0.0, [0.0, 1, 2])
    assert (kinds.value.tolist(), kinds.nearer(1).tolist(), kinds.part.tolist()) == ([1, 2], [], [1, 1])


@given(st.floats(1e-9, 1e12), st.integers(2, 200))
def test_the_round_step(width: float, most: int) -> None:
    """It fits at most so many times into the width, and not less than two fifths as often."""
    times = width / round_step(width, most)
    assert most * 0.399 <= times <= most * (1 + 1e-6)
