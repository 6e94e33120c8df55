"""Geometry of the charts over many rows, in per cent of the width; templates turn it into SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explainer.usecases.insight_points import Point, Step, Swarm
from webui.charts import Scale, Tick
from webui.words import Unit

DOT = 5.0  # pixels from one point of a swarm to the next above it
ROOM = 28.0  # pixels above and below the middle of a swarm


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar from `zero` or a point, at `x`, with its whisker; `name` and the numbers it stands for."""

    name: str
    amount: float
    half_width: float | None
    x: float
    left: float
    width: float
    whisker_left: float
    whisker_right: float
    known: bool = True  # whether an error is known


@dataclass(frozen=True, slots=True)
class Marks:
    marks: tuple[Mark, ...]
    zero: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """`x` in per cent; `y` in per cent of the height, or in pixels from the middle; `shade` is the name of a colour."""

    x: float
    y: float
    shade: str = "none"
    low: float = 0.0
    high: float = 0.0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of points: a feature of a swarm, or a category."""

    name: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Strips:
    strips: tuple[Strip, ...]
    zero: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Points of a feature's value (across) and its attribution (up), with the ends of their error bars."""

    dots: tuple[Dot, ...]
    zero: float
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


def marks(amounts: Sequence[tuple[str, float, float | None]], shown: int | None = None) -> Marks:
    """Bars or points from zero: name, amount, and half the width of its interval (None: not known)."""
    kept = amounts[:shown]
    ends = [0.0, *(a + s * (h or 0.0) for _, a, h in kept for s in (-1, 1))]
    scale = Scale(min(ends), max(ends))
    zero = scale(0.0)
    found = tuple(
        Mark(
            name=name,
            amount=amount,
            half_width=half,
            x=scale(amount),
            left=min(zero, scale(amount)),
            width=round(abs(scale(amount) - zero), 3),
            whisker_left=scale(amount - (half or 0.0)),
            whisker_right=scale(amount + (half or 0.0)),
            known=half is not None,
        )
        for name, amount, half in kept
    )
    return Marks(found, zero, scale.ticks(4))


def beeswarm(swarms: Sequence[Swarm], shown: int) -> Strips:
    """A strip for each feature on one scale: points of the same place are stacked from the middle outwards."""
    kept = swarms[:shown]
    scale = Scale(*_ends([s.amount for one in kept for s in one.spots]))
    return Strips(tuple(Strip(s.feature, _stacked(s, scale)) for s in kept), scale(0.0), scale.ticks(5))


def _stacked(one: Swarm, scale: Scale) -> tuple[Dot, ...]:
    """One after the other above and below: the n-th point of a place is n steps away, closer where there are many."""
    places: dict[float, list[str]] = {}
    for spot in one.spots:
        places.setdefault(scale(spot.amount), []).append(shade(spot.shade))
    highest = max((len(stack) for stack in places.values()), default=1)
    step = min(DOT, ROOM / max(1, math.ceil((highest - 1) / 2)))
    return tuple(
        Dot(x, round(step * ((n + 1) // 2) * (1 if n % 2 else -1), 2), kind)
        for x, stack in places.items()
        for n, kind in enumerate(stack)
    )


def shade(place: float | None) -> str:
    """The name of one of five colours, low to high; `none` where a value has no place."""
    return "none" if place is None else f"s{round(4 * place)}"


def step_marks(steps: Sequence[Step], factor: float) -> Marks:
    """The mean of each band of values, with its interval."""
    named = [
        (str(i), s.mean, None if s.standard_error is None else factor * s.standard_error) for i, s in enumerate(steps)
    ]
    return marks(named)


def strips(points: Sequence[Point], names: Sequence[tuple[str, Any]], factor: float) -> Strips:
    """A strip of points with their intervals for each of `names`, pairs of what is written and the value meant."""
    reach = [(p, factor * (p.standard_error or 0.0)) for p in points]
    scale = Scale(*_ends([p.amount + s * r for p, r in reach for s in (-1, 1)]))
    found = []
    for name, value in names:
        here = [(p.amount, r) for p, r in reach if p.value == value and type(p.value) is type(value)]
        if here:
            placed = enumerate(sorted(here))
            dots = (
                Dot(scale(a), round(ROOM / 3 * _lift(n), 2), low=scale(a - r), high=scale(a + r))
                for n, (a, r) in placed
            )
            found.append(Strip(name, tuple(dots)))
    return Strips(tuple(found), scale(0.0), scale.ticks(5))


def scatter(points: Sequence[Point], factor: float) -> Scatter:
    """Numbers against their attributions; missing ones are not among `points`."""
    reach = [(p.amount, factor * (p.standard_error or 0.0)) for p in points]
    across = Scale(min(p.at for p in points), max(p.at for p in points))
    up = Scale(*_ends([a + s * r for a, r in reach for s in (-1, 1)]))
    dots = tuple(
        Dot(across(p.at), _from_top(up(a)), low=_from_top(up(a - r)), high=_from_top(up(a + r)))
        for p, (a, r) in zip(points, reach, strict=True)
    )
    heights = tuple(Tick(_from_top(t.x), t.value, t.decimals) for t in up.ticks(4))
    return Scatter(dots, _from_top(up(0.0)), across.ticks(4), heights)


def unit_for(output: str, largest: float) -> Unit:
    """Percentage points for probabilities; else the output's own unit, to three digits of the largest amount."""
    if output == "probability":
        return Unit(100.0, 1 if largest >= 0.1 else 2, ", points")
    decimals = 2 - math.floor(math.log10(largest)) if largest > 0 else 2
    return Unit(1.0, min(8, max(0, decimals)), "")


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min([0.0, *values]), max([0.0, *values])


def _from_top(height: float) -> float:
    return round(100 - height, 3)


def _lift(n: int) -> int:
    """Up, down and in the middle in turn, so that neighbours do not hide one another."""
    return (0, 1, -1)[n % 3]
