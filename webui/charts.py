"""Geometry of the charts, in per cent of the width; templates turn it into SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from explainer.records import Explanation

PADDING = 0.04
SHOWN = 14  # bars; the rest of a wide schema becomes one


@dataclass(frozen=True, slots=True)
class Bar:
    """One feature's step: `left` and `width` of its bar, its whisker, and where the next step begins."""

    index: int  # position in the schema, -1 for 'all others'
    amount: float
    half_width: float | None  # of the confidence interval, in output units; None when not known
    exact: bool
    left: float
    width: float
    start: float
    end: float
    whisker_left: float
    whisker_right: float


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    value: float
    decimals: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    expected: float
    prediction: float
    others: int  # how many features the last bar stands for, 0 when every feature has its own


class Scale:
    """Maps output units to per cent of the width."""

    def __init__(self, low: float, high: float) -> None:
        span = (high - low) or max(abs(high), 1.0)
        self.low, self.span = low - PADDING * span, span * (1 + 2 * PADDING)

    def __call__(self, value: float) -> float:
        return round(100 * (value - self.low) / self.span, 3)

    def ticks(self, about: int = 5) -> tuple[Tick, ...]:
        """Round numbers, about so many, inside the scale."""
        raw = self.span / about
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
        first, digits = math.ceil(self.low / step), max(0, -math.floor(math.log10(step)))
        numbers = [i * step for i in range(first, first + 2 * about) if i * step <= self.low + self.span]
        return tuple(Tick(self(n), n, digits) for n in numbers)


def interval_factor(confidence: float) -> float:
    """How many standard errors half a two-sided interval is, for example 1.96 at 95 %."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def waterfall(e: Explanation, shown: int = SHOWN) -> Waterfall:
    """Steps from the expected value to the prediction, the largest first."""
    factor = interval_factor(e.confidence)
    order = sorted(range(len(e.attributions)), key=lambda i: -abs(e.attributions[i]))
    steps = [(i, e.attributions[i], _times(e.standard_errors[i], factor)) for i in order]
    others = 0
    if len(steps) > shown + 1:
        rest = steps[shown:]
        others = len(rest)
        halves = [h for _, _, h in rest]
        total_half = None if any(h is None for h in halves) else sum(h for h in halves if h is not None)
        steps = [*steps[:shown], (-1, sum(a for _, a, _ in rest), total_half)]
    return _place(e, steps, others)


def _place(e: Explanation, steps: list[tuple[int, float, float | None]], others: int) -> Waterfall:
    points, at = [e.expected_value, e.prediction], e.expected_value
    for _, amount, half in steps:
        at += amount
        points += [at, at - (half or 0.0), at + (half or 0.0)]
    scale, bars, at = Scale(min(points), max(points)), [], e.expected_value
    for index, amount, half in steps:
        start, end = scale(at), scale(at + amount)
        reach = half or 0.0
        bars.append(
            Bar(
                index=index,
                amount=amount,
                half_width=half,
                exact=e.method.exact,
                left=min(start, end),
                width=round(abs(end - start), 3),
                start=start,
                end=end,
                whisker_left=scale(at + amount - reach),
                whisker_right=scale(at + amount + reach),
            )
        )
        at += amount
    return Waterfall(tuple(bars), scale.ticks(), scale(e.expected_value), scale(e.prediction), others)


@dataclass(frozen=True, slots=True)
class Diverging:
    """Bars from zero, for LIME's weights, which do not add up to the prediction."""

    bars: tuple[Bar, ...]
    zero: float
    ticks: tuple[Tick, ...]


def diverging(e: Explanation, shown: int = SHOWN) -> Diverging:
    """The largest weights first, each with its interval around its end."""
    factor = interval_factor(e.confidence)
    order = sorted(range(len(e.attributions)), key=lambda i: -abs(e.attributions[i]))[:shown]
    steps = [(i, e.attributions[i], _times(e.standard_errors[i], factor)) for i in order]
    points = [0.0, *(a + s * (h or 0.0) for _, a, h in steps for s in (-1, 1))]
    scale = Scale(min(points), max(points))
    zero = scale(0.0)
    bars = tuple(
        Bar(
            index=i,
            amount=a,
            half_width=h,
            exact=False,
            left=min(zero, scale(a)),
            width=round(abs(scale(a) - zero), 3),
            start=zero,
            end=scale(a),
            whisker_left=scale(a - (h or 0.0)),
            whisker_right=scale(a + (h or 0.0)),
        )
        for i, a, h in steps
    )
    return Diverging(bars, zero, scale.ticks(4))


def _times(standard_error: float | None, factor: float) -> float | None:
    return None if standard_error is None else standard_error * factor
