from __future__ import annotations

import numpy as np

from explainer.attribution.trees.links import LOGISTIC_PROBABILITY, SOFTMAX_LOG_ODDS, SOFTMAX_PROBABILITY, linked

MARGINS = np.random.default_rng(0).normal(size=(50, 4)) * 5


def test_logistic_probabilities_of_both_classes() -> None:
    """Class 1 is the sigmoid of the margin, class 0 the rest."""
    p = 1 / (1 + np.exp(-MARGINS[:, 0]))
    found = linked(MARGINS[:, :1], LOGISTIC_PROBABILITY, np.array([0, 1]))
    assert np.allclose(found, np.stack([1 - p, p], axis=1), rtol=0, atol=1e-15)


def test_softmax_probabilities_and_their_log_odds() -> None:
    """Probabilities are the softmax; log-odds are ln(p / (1 - p)), in the order of the classes asked for."""
    p = np.exp(MARGINS) / np.exp(MARGINS).sum(axis=1, keepdims=True)
    asked = np.array([3, 0])
    assert np.allclose(linked(MARGINS, SOFTMAX_PROBABILITY, asked), p[:, asked], rtol=1e-12, atol=0)
    others = np.stack([np.delete(p, c, axis=1).sum(axis=1) for c in range(4)], axis=1)
    odds = np.log(p) - np.log(others)
    assert np.allclose(linked(MARGINS, SOFTMAX_LOG_ODDS, asked), odds[:, asked], rtol=1e-9, atol=1e-9)


def test_large_margins_stay_finite() -> None:
    """Margins of hundreds give probabilities 0 and 1 and finite log-odds."""
    wild = np.array([[800.0, -800.0, 0.0]])
    assert linked(wild, SOFTMAX_PROBABILITY, np.arange(3)).tolist() == [[1.0, 0.0, 0.0]]
    assert np.isfinite(linked(wild, SOFTMAX_LOG_ODDS, np.arange(3))).all()
    assert linked(wild[:, :1], LOGISTIC_PROBABILITY, np.array([0, 1])).tolist() == [[0.0, 1.0]]
