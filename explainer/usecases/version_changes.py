"""What changed between two versions' explanations of the same rows, and which change is beyond the errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from explainer.attribution.agreement import agreement
from explainer.attribution.summary import summarised
from explainer.records import Explanation, FloatArray

ROUNDING = 1e-9  # of the largest number: what exact attributions differ by is a change only beyond it


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """One feature over all rows: its importance (mean absolute attribution) before and after, and their difference.

    `beyond` is whether that differs from 0 beyond its interval (None: error not known). `moved` is the mean absolute
    change of a row's attribution, `largest` the largest one with its sign, `rows_beyond` in how many rows the change
    exceeds the combined error of the two attributions. (Means with their sign say nothing: over a version's own
    background Shapley values sum to 0.)
    """

    feature: str
    before: float
    after: float
    shift: float
    half_width: float | None
    beyond: bool | None
    moved: float
    rows_beyond: int
    largest: float


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row: predictions, Kendall's rank correlation of its reasons, and the attribution that changed most."""

    before: float
    after: float
    flipped: bool | None
    correlation: float | None
    feature: str
    shift: float
    half_width: float | None
    beyond: bool | None


@dataclass(frozen=True, slots=True)
class Changes:
    """Of all rows: predictions, outcomes (None: not both versions decide), how far reasons agree, and each feature.

    `shared` is how many of the `top` leading features are the same on average, `same_first` the rows whose first
    reason is the same.
    """

    rows: int
    mean: float
    mean_absolute: float
    largest: float
    to_adverse: int | None
    to_favourable: int | None
    correlation: float | None
    top: int
    shared: float
    same_first: int
    features: tuple[FeatureChange, ...]
    lines: tuple[RowChange, ...]


def changes(
    before: Sequence[Explanation],
    after: Sequence[Explanation],
    names: Sequence[str],
    adverse: tuple[Sequence[bool], Sequence[bool]] | None,
) -> Changes:
    """Compare the explanations of the same rows, in the same order; `adverse` are the outcomes before and after."""
    old, new = _amounts(before), _amounts(after)
    errors = np.sqrt(_errors(before) ** 2 + _errors(after) ** 2)  # the two are sampled apart
    factor = NormalDist().inv_cdf(0.5 + before[0].confidence / 2)
    reach = factor * errors
    least = ROUNDING * max(float(np.abs(old).max()), float(np.abs(new).max()), 1e-300)
    moved = np.array([b.prediction for b in after]) - np.array([a.prediction for a in before])
    pairs = [agreement(a, b) for a, b in zip(old, new, strict=True)]
    known = [p.rank_correlation for p in pairs if p.rank_correlation is not None]
    flips = _flips(adverse)
    return Changes(
        rows=len(moved),
        mean=float(moved.mean()),
        mean_absolute=float(np.abs(moved).mean()),
        largest=float(moved[np.argmax(np.abs(moved))]),
        to_adverse=None if adverse is None else sum(f is True for f in flips),
        to_favourable=None if adverse is None else sum(f is False for f in flips),
        correlation=float(np.mean(known)) if known else None,
        top=pairs[0].top,
        shared=float(np.mean([p.leading for p in pairs])) * pairs[0].top,
        same_first=int(np.sum(np.abs(old).argmax(axis=1) == np.abs(new).argmax(axis=1))),
        features=_features(old, new, (errors, factor, least), names),
        lines=tuple(
            RowChange(
                before=a.prediction,
                after=b.prediction,
                flipped=None if adverse is None else flips[i] is not None,
                correlation=pairs[i].rank_correlation,
                **_most(new[i] - old[i], reach[i], least, names),
            )
            for i, (a, b) in enumerate(zip(before, after, strict=True))
        ),
    )


def _features(
    old: FloatArray, new: FloatArray, bounds: tuple[FloatArray, float, float], names: Sequence[str]
) -> tuple[FeatureChange, ...]:
    """Those that moved most come first."""
    (errors, factor, least), moved = bounds, new - old
    reach, means, found = factor * errors, summarised(np.abs(new) - np.abs(old), errors), []
    for i, name in enumerate(names):
        error = means[i].mean_standard_error
        half = None if error is None else factor * error
        far = np.abs(moved[:, i]) > np.maximum(reach[:, i], least)  # never true where an error is not known
        found.append(
            FeatureChange(
                feature=name,
                before=float(np.abs(old[:, i]).mean()),
                after=float(np.abs(new[:, i]).mean()),
                shift=means[i].mean,
                half_width=half,
                beyond=None if half is None else abs(means[i].mean) > max(half, least),
                moved=float(np.abs(moved[:, i]).mean()),
                rows_beyond=int(far.sum()),
                largest=float(moved[np.argmax(np.abs(moved[:, i])), i]),
            )
        )
    return tuple(sorted(found, key=lambda f: -f.moved))


def _most(moved: FloatArray, reach: FloatArray, least: float, names: Sequence[str]) -> dict[str, Any]:
    """The attribution of one row that changed most."""
    i = int(np.argmax(np.abs(moved)))
    half = None if np.isnan(reach[i]) else float(reach[i])
    return {
        "feature": names[i],
        "shift": float(moved[i]),
        "half_width": half,
        "beyond": None if half is None else bool(abs(moved[i]) > max(half, least)),
    }


def _flips(adverse: tuple[Sequence[bool], Sequence[bool]] | None) -> list[bool | None]:
    """Of each row: True where it became adverse, False where favourable, None where nothing changed."""
    if adverse is None:
        return []
    return [None if a == b else bool(b) for a, b in zip(*adverse, strict=True)]


def _amounts(found: Sequence[Explanation]) -> FloatArray:
    return np.array([e.attributions for e in found])


def _errors(found: Sequence[Explanation]) -> FloatArray:
    return np.array([[np.nan if s is None else s for s in e.standard_errors] for e in found])
