"""The geometry of the charts."""

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from explainer.records import Explanation, MethodReport
from webui.charts import SHOWN, Scale, diverging, interval_factor, waterfall

SIZES = st.floats(-1e6, 1e6).map(lambda x: 0.0 if abs(x) < 1e-9 else x)
ERRORS = st.none() | st.floats(0, 1e3)
METHOD = MethodReport("exact", 1, "small", True, 1, None, "default", 0.0)


@st.composite
def explanations(draw: st.DrawFn, most: int = 40) -> Explanation:
    pushes = draw(st.lists(SIZES, min_size=1, max_size=most))
    errors = [draw(ERRORS) for _ in pushes]
    return explanation(pushes, errors, expected=draw(SIZES), confidence=draw(st.sampled_from([0.5, 0.95, 0.99])))


def explanation(
    pushes: list[float], errors: list[float | None] | None = None, expected: float = 0.0, confidence: float = 0.95
) -> Explanation:
    return Explanation(
        prediction=expected + math.fsum(pushes),
        expected_value=expected,
        class_name=None,
        output="raw",
        attributions=tuple(pushes),
        standard_errors=tuple(errors or [None] * len(pushes)),
        method=METHOD,
        confidence=confidence,
    )


@given(explanations())
def test_steps_lead_from_the_expected_value_to_the_prediction(e: Explanation) -> None:
    """Each bar begins where the one before ended; the first at the expected value, the last at the prediction."""
    chart = waterfall(e)
    assert chart.bars[0].start == chart.expected
    for before, after in itertools.pairwise(chart.bars):
        assert after.start == pytest.approx(before.end, abs=2e-3)
    assert chart.bars[-1].end == pytest.approx(chart.prediction, abs=2e-3)


@given(explanations())
def test_everything_lies_inside_the_drawing(e: Explanation) -> None:
    """Bars, whiskers, ticks and markers are between 0 and 100 per cent, in both charts."""
    falls, weights = waterfall(e), diverging(e)
    for chart in (falls, weights):
        for bar in chart.bars:
            assert 0 <= bar.left <= bar.left + bar.width <= 100.002
            assert 0 <= bar.whisker_left <= bar.end + 1e-3
            assert bar.end - 1e-3 <= bar.whisker_right <= 100
        assert all(0 <= tick.x <= 100 for tick in chart.ticks)
    assert 0 <= falls.expected <= 100
    assert 0 <= falls.prediction <= 100
    assert 0 <= weights.zero <= 100


@given(explanations())
def test_bars_are_in_proportion(e: Explanation) -> None:
    """A bar's width over the whole is its push over the span; its direction is the push's sign."""
    chart = waterfall(e)
    widest = max(chart.bars, key=lambda b: b.width)
    for bar in chart.bars:
        assert bar.width == pytest.approx(abs(bar.end - bar.start), abs=2e-3)
        assert (bar.end - bar.start) * bar.amount >= 0
        if widest.amount:
            assert bar.width == pytest.approx(widest.width * abs(bar.amount / widest.amount), abs=5e-3)


@given(explanations())
def test_the_largest_come_first_and_nothing_is_lost(e: Explanation) -> None:
    """Features stand in order of size, each once; those that are not shown are summed in the last bar."""
    chart = waterfall(e)
    own = [bar for bar in chart.bars if bar.index >= 0]
    sizes = [abs(bar.amount) for bar in own]
    assert sizes == sorted(sizes, reverse=True)
    assert len({bar.index for bar in own}) == len(own)
    assert all(bar.amount == e.attributions[bar.index] for bar in own)
    assert len(own) + chart.others == len(e.attributions)
    assert math.fsum(b.amount for b in chart.bars) == pytest.approx(math.fsum(e.attributions), abs=1e-6)


@pytest.mark.parametrize(("features", "bars", "others"), [(1, 1, 0), (SHOWN + 1, SHOWN + 1, 0), (200, SHOWN + 1, 186)])
def test_a_wide_schema_gets_one_bar_for_the_rest(features: int, bars: int, others: int) -> None:
    """One feature more than fit is still shown by itself: 'the other 1 features' would say less."""
    chart = waterfall(explanation([1.0] * features))
    assert (len(chart.bars), chart.others) == (bars, others)
    assert (chart.bars[-1].index == -1) is (others > 0)


def test_the_error_of_the_rest() -> None:
    """The half-widths of what is summed are added, which bounds the sum's; one unknown makes it unknown."""
    factor = interval_factor(0.95)
    known = waterfall(explanation([1.0] * 30, [0.5] * 30))
    assert known.bars[-1].half_width == pytest.approx(16 * 0.5 * factor)
    unknown = waterfall(explanation([1.0] * 30, [0.5] * 29 + [None]))
    assert unknown.bars[-1].half_width is None


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_interval_factor(confidence: float) -> None:
    """Half a two-sided interval is the normal quantile (scipy's)."""
    assert interval_factor(confidence) == pytest.approx(norm.ppf(0.5 + confidence / 2))


@given(explanations())
def test_whiskers_are_the_interval(e: Explanation) -> None:
    """A whisker reaches as far from its bar's end as the interval does, in the units of the bars."""
    chart = waterfall(e)
    widest = max(chart.bars, key=lambda b: b.width)
    for bar in chart.bars:
        if bar.half_width is None:
            assert bar.whisker_left == bar.whisker_right == bar.end
        elif widest.width > 1:
            wide = (bar.whisker_right - bar.whisker_left) / 2
            assert wide == pytest.approx(widest.width * bar.half_width / abs(widest.amount), abs=1e-2, rel=1e-2)


@given(SIZES, st.floats(1e-9, 1e9))
def test_ticks_are_round_evenly_spaced_and_in_range(low: float, span: float) -> None:
    """Ticks are whole multiples of 1, 2 or 5 times a power of ten, in order, inside the scale, between 2 and 11."""
    ticks = Scale(low, low + max(span, abs(low) * 1e-5)).ticks()
    values = [tick.value for tick in ticks]
    assert 2 <= len(ticks) <= 11
    assert values == sorted(values)
    step = values[1] - values[0]
    digit = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(digit - m) for m in (1, 2, 5, 10)) < 1e-3 * digit
    for tick in ticks:
        assert -0.01 <= tick.x <= 100.01
        assert abs(tick.value / step - round(tick.value / step)) < 1e-3


@given(SIZES, st.floats(1e-6, 1e9))
def test_ticks_keep_apart_with_their_decimals(low: float, span: float) -> None:
    """Written to so many decimals, no two ticks read the same."""
    ticks = Scale(low, low + max(span, abs(low) * 1e-5)).ticks()
    assert len({f"{t.value:.{t.decimals}f}" for t in ticks}) == len(ticks)


@pytest.mark.parametrize("value", [0.0, 0.25, -3.0, 1e9])
def test_a_row_that_nothing_pushes(value: float) -> None:
    """All attributions zero: a chart without width still has its place and its ticks."""
    chart = waterfall(explanation([0.0, 0.0], expected=value))
    assert all(bar.width == 0 for bar in chart.bars)
    assert 0 <= chart.expected == chart.prediction <= 100
    assert chart.ticks
    assert diverging(explanation([0.0])).ticks


def test_lime_bars_grow_from_zero() -> None:
    """LIME's weights do not chain: every bar begins at zero and the largest are shown."""
    chart = diverging(explanation([0.5, -2.0, 1.0] + [0.1] * 20, expected=40.0))
    assert [bar.index for bar in chart.bars][:3] == [1, 2, 0]
    assert len(chart.bars) == SHOWN
    assert {bar.start for bar in chart.bars} == {chart.zero}
    assert chart.bars[0].end < chart.zero < chart.bars[1].end


def test_exactness_is_passed_on() -> None:
    """An exact explanation's bars say so, LIME's never."""
    e = explanation([1.0])
    sampled = dataclasses.replace(e, method=dataclasses.replace(METHOD, exact=False))
    assert waterfall(e).bars[0].exact
    assert not waterfall(sampled).bars[0].exact
    assert not diverging(e).bars[0].exact
