"""The leading attributions in the words that the model's owner wrote for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from explainer.records import Explanation, Feature


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason. `text` is None where the owner wrote none; a protected feature is marked, never left out."""

    feature: str
    direction: Literal["increases", "decreases"]
    text: str | None
    attribution: float
    protected: bool


def leading(attributions: Sequence[float], count: int) -> list[int]:
    """Return the positions of the `count` largest attributions by size, largest first; ties in schema order."""
    return sorted(range(len(attributions)), key=lambda i: (-abs(attributions[i]), i))[:count]


def reason_lines(explanation: Explanation, features: Sequence[Feature], count: int = 4) -> list[ReasonLine]:
    """Return at most `count` reasons, the largest first; a feature with attribution 0 is no reason."""
    chosen = leading(explanation.attributions, count)
    return [_reason(features[i], explanation.attributions[i]) for i in chosen if explanation.attributions[i] != 0]


def _reason(feature: Feature, attribution: float) -> ReasonLine:
    direction: Literal["increases", "decreases"] = "increases" if attribution > 0 else "decreases"
    text = getattr(feature.reason, direction) if feature.reason is not None else None
    return ReasonLine(feature.name, direction, text, attribution, feature.protected)
