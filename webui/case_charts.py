"""Geometry of a case's small pictures, in per cent of the width: score and threshold, two opinions, distributions."""

from __future__ import annotations

from dataclasses import dataclass

from explainer.records import Explanation
from explainer.reviews.groups import Share
from explainer.reviews.standing import Bin, Standing
from webui.charts import Bar, Scale, Tick, interval_factor

OPINIONS = 8  # features of the two opinions side by side


@dataclass(frozen=True, slots=True)
class ScorePicture:
    """A line with the score and the threshold on it; `adverse_left` and `adverse_width` are the adverse side of it."""

    score: float
    threshold: float
    adverse_left: float
    adverse_width: float
    ticks: tuple[Tick, ...]
    before: float | None = None  # where the score was, where it is another one now


def score_picture(
    score: float, threshold: float, *, share: bool, adverse_above: bool, before: float | None = None
) -> ScorePicture:
    """`share`: a probability, drawn from 0 to 1; anything else is drawn as wide as what is to be seen."""
    seen = [score, threshold] if before is None else [score, threshold, before]
    wide = (max(seen) - min(seen)) or abs(threshold) or 1.0
    scale = Scale(0.0, 1.0) if share else Scale(min(seen) - wide, max(seen) + wide)
    at = scale(threshold)
    left, width = (at, 100.0 - at) if adverse_above else (0.0, at)
    return ScorePicture(
        scale(score), at, left, round(width, 3), scale.ticks(5), None if before is None else scale(before)
    )


@dataclass(frozen=True, slots=True)
class Opinion:
    """One feature as SHAP and as LIME see it, each a bar from zero on the same scale; `same`: in the same direction."""

    index: int
    shap: Bar
    lime: Bar
    same: bool


@dataclass(frozen=True, slots=True)
class Opinions:
    rows: tuple[Opinion, ...]
    zero: float


def opinions(shap: Explanation, lime: Explanation, shown: int = OPINIONS) -> Opinions:
    """The features that either of the two names first."""
    halves = (_halves(shap), _halves(lime))
    larger = [max(abs(a), abs(b)) for a, b in zip(shap.attributions, lime.attributions, strict=True)]
    order = sorted(range(len(larger)), key=lambda i: -larger[i])[:shown]
    ends = [0.0]
    for told, half in zip((shap, lime), halves, strict=True):
        ends += [told.attributions[i] + s * (half[i] or 0.0) for i in order for s in (-1, 1)]
    scale = Scale(min(ends), max(ends))
    rows = [
        Opinion(
            i,
            _from_zero(i, shap, halves[0][i], scale),
            _from_zero(i, lime, halves[1][i], scale),
            shap.attributions[i] * lime.attributions[i] > 0,
        )
        for i in order
    ]
    return Opinions(tuple(rows), scale(0.0))


def _halves(e: Explanation) -> list[float | None]:
    factor = interval_factor(e.confidence)
    return [None if s is None else factor * s for s in e.standard_errors]


def _from_zero(index: int, e: Explanation, half: float | None, scale: Scale) -> Bar:
    amount, reach, zero = e.attributions[index], half or 0.0, scale(0.0)
    end = scale(amount)
    return Bar(
        index=index,
        amount=amount,
        half_width=half,
        exact=e.method.exact,
        left=min(zero, end),
        width=round(abs(end - zero), 3),
        start=zero,
        end=end,
        whisker_left=scale(amount - reach),
        whisker_right=scale(amount + reach),
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of a distribution: `here` is the one in which the row's value lies."""

    x: float
    width: float
    height: float
    here: bool


def histogram(standing: Standing) -> tuple[Column, ...]:
    """Columns whose areas are the bins' shares; an open bin is drawn as wide as the narrowest closed one."""
    if not standing.bins:
        return ()
    unit = min((b.high - b.low for b in standing.bins if b.low is not None and b.high is not None), default=1.0)
    widths = [_width(b, unit) for b in standing.bins]
    dense = [b.count / w for b, w in zip(standing.bins, widths, strict=True)]
    whole, top, at, found = sum(widths), max(dense), 0.0, []
    for i, (width, height) in enumerate(zip(widths, dense, strict=True)):
        found.append(Column(_share(at, whole), _share(width, whole), _share(height, top), i == standing.at))
        at += width
    return tuple(found)


def share_width(same: Share) -> float:
    """Of a bar that stands for all rows; a group that is too small, or all but one that is, is drawn as about so."""
    if same.count is None:
        return 97.0 if same.words.startswith("more") else 3.0
    return max(0.8, _share(same.count, same.of))


def _width(found: Bin, unit: float) -> float:
    return found.high - found.low if found.low is not None and found.high is not None else unit


def _share(part: float, whole: float) -> float:
    return round(100 * part / whole, 2)
