"""Geometry of the charts over many rows: inside the picture, in proportion, and the same every time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.usecases.insight_points import Band, Point, Spot, Step, Swarm
from webui import plots

sizes = st.floats(-1e6, 1e6).map(lambda x: x if abs(x) > 1e-6 else 0.0)


@given(st.lists(st.tuples(sizes, st.none() | st.floats(0, 1e6)), min_size=1, max_size=30))
def test_bars_begin_at_zero_and_stay_inside(rows: list[tuple[float, float | None]]) -> None:
    """Bar and whisker lie between 0 and 100 per cent; the bar reaches from zero to its amount."""
    found = plots.marks([(str(i), amount, half) for i, (amount, half) in enumerate(rows)])
    assert [m.amount for m in found.marks] == [amount for amount, _ in rows]
    for m, (_, half) in zip(found.marks, rows, strict=True):
        assert 0 <= m.whisker_left <= m.x <= m.whisker_right <= 100
        assert m.known == (half is not None)
        assert [m.left, m.left + m.width] == pytest.approx(sorted([found.zero, m.x]), abs=0.002)
    assert all(0 <= t.x <= 100 for t in found.ticks)


def test_only_so_many_bars_are_shown() -> None:
    """The first ones, and the scale is theirs."""
    found = plots.marks([("a", 1.0, None), ("b", 0.5, None), ("c", 100.0, None)], 2)
    assert [m.name for m in found.marks] == ["a", "b"]
    assert found.marks[0].x > 90


def test_a_beeswarm_stacks_points_of_one_place_from_the_middle_outwards() -> None:
    """In turn below and above, never two in one place, closer where there are many."""
    few = Swarm("a", tuple(Spot(0.1, 0.5) for _ in range(5)), (), 0)
    many = Swarm("b", tuple(Spot(-0.1, None) for _ in range(99)), (), 0)
    found = plots.beeswarm([few, many], 20)
    assert [d.y for d in found.strips[0].dots] == [0, 5, -5, 10, -10]
    heights = [d.y for d in found.strips[1].dots]
    assert len(set(heights)) == 99
    assert max(heights) <= plots.ROOM
    assert min(heights) >= -plots.ROOM
    assert {d.shade for d in found.strips[0].dots} == {"s2"}
    assert {d.shade for d in found.strips[1].dots} == {"none"}
    assert plots.beeswarm([few, many], 20) == found


@pytest.mark.parametrize(("place", "name"), [(None, "none"), (0.0, "s0"), (0.3, "s1"), (0.5, "s2"), (1.0, "s4")])
def test_five_colours_from_low_to_high(place: float | None, name: str) -> None:
    """A value without a place has the colour of its own."""
    assert plots.shade(place) == name


def test_bands_are_points_with_their_intervals() -> None:
    """Half an interval is so many standard errors; unknown stays unknown."""
    band = Band("car", None, None, (0, 1))
    known, unknown = plots.step_marks([Step(band, 0.5, 0.1, 0.2), Step(band, -0.5, None, 0.2)], 2.0).marks
    assert (known.half_width, unknown.half_width) == (0.2, None)
    assert unknown.x < known.x


def test_strips_are_those_of_the_values() -> None:
    """One for each value that occurs, `False` and `0` apart; its points inside, with their errors."""
    points = [Point("car", 0.0, 0.2, 0.1), Point("car", 0.0, -0.1, None), Point(False, 0.0, 0.3, 0.0)]
    found = plots.strips(points, [("car", "car"), ("house", "house"), ("no", False), ("zero", 0)], 2.0)
    assert [(s.name, len(s.dots)) for s in found.strips] == [("car", 2), ("no", 1)]
    low, high = found.strips[0].dots
    assert low.x < found.zero < high.x
    assert (low.low, low.high) == (low.x, low.x)
    assert high.low < high.x < high.high


def test_a_scatter_has_larger_values_to_the_right_and_larger_pushes_higher() -> None:
    """Across is the value, up the attribution; the error bar reaches as far below as above."""
    left, right = plots.scatter([Point(1, 1.0, -0.2, 0.1), Point(9, 9.0, 0.4, None)], 2.0).dots
    assert left.x < right.x
    assert left.y > right.y
    assert left.low - left.y == pytest.approx(left.y - left.high)
    assert (right.low, right.high) == (right.y, right.y)


@pytest.mark.parametrize(
    ("output", "largest", "text"),
    [("probability", 0.2, "+12.3"), ("probability", 0.05, "+12.34"), ("raw", 0.0, "+0.12"), ("raw", 0.5, "+0.123")],
)
def test_amounts_have_the_digits_that_the_largest_needs(output: str, largest: float, text: str) -> None:
    """Percentage points for probabilities, the output's own unit otherwise."""
    assert plots.unit_for(output, largest).push(0.1234) == text
