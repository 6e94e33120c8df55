"""What a linear model gives away by answering, in numbers."""

from __future__ import annotations

from explainer.records import Feature, Manifest, Notice, OpenReport

CODE = "linear-model"


def giveaway(manifest: Manifest, report: OpenReport) -> tuple[Notice, ...]:
    """One notice for a model that is a weighted sum of its columns, none for any other.

    Each category but one has a weight, and so has missing in a feature that may be; one more is the constant.
    """
    if report.structure != "linear":
        return ()
    weights = 1 + sum(_weights(feature) for feature in manifest.features)
    explained = max([2, *(_weights(feature) + 1 for feature in manifest.features)])
    return (
        Notice(
            CODE,
            f"The model is linear, and answers give it away: {weights} scores are enough to solve for all of its "
            f"weights, {explained} rows with every attribution are enough too. Rounding does not help. Give it to "
            "those who may have the model, or show decisions only and set a budget.",
        ),
    )


def _weights(feature: Feature) -> int:
    own = max(1, len(feature.categories) - 1)
    return own + feature.nullable
