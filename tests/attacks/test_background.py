"""Somebody hides what a model decides by, not by touching the model but by changing its background."""

from __future__ import annotations

import numpy as np

from explainer.attribution.vetting.shifted import shift
from explainer.demo.datasets import diabetes
from explainer.records import FloatArray


def attributions(weights: FloatArray, row: FloatArray, background: FloatArray) -> FloatArray:
    """Exact interventional Shapley values of a linear model."""
    return weights * (row - background.mean(axis=0))


def test_a_hidden_feature_is_flagged() -> None:
    """Moving one column of the background takes the leading attribution away, and is found and named each time."""
    data = diabetes()
    kinds = np.array([len(f.categories) for f in data.features])
    ends = np.column_stack([data.rows[data.train], np.ones(len(data.train))])
    weights = np.linalg.lstsq(ends, data.target[data.train], rcond=None)[0][:-1]
    weights[kinds > 0] = 0.0
    for seed in range(10):
        random = np.random.default_rng(seed)
        background = data.rows[random.choice(data.train, 100, replace=False)]
        reference = data.rows[random.choice(data.test, 45, replace=False)]
        row = reference[np.abs(attributions(weights, reference, background)).max(axis=1).argmax()]
        leading = int(np.abs(attributions(weights, row, background)).argmax())
        tampered = background.copy()
        tampered[:, leading] += row[leading] - background[:, leading].mean()
        assert abs(attributions(weights, row, tampered)[leading]) < 1e-6
        found = shift(tampered, reference, kinds, seed)
        assert (found.suspicious, found.feature) == (True, leading)
        assert not shift(background, reference, kinds, seed).suspicious
