"""Facts about the card's metrics: they agree with scikit-learn, and their intervals mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as truth_of

from explainer.demo.metrics import AUC, R2, Scored, calibration, classification, intervals, regression, value

COSTS = (5.0, 1.0)


def credit_like(seed: int, rows: int = 80) -> Scored:
    """Scores with many ties, so that halves count."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 11, rows) / 10
    truth = (rng.random(rows) < score).astype(float)
    truth[:2] = 0.0, 1.0
    return Scored(truth, score)


@given(st.integers(0, 10_000))
def test_classification_agrees_with_scikit_learn(seed: int) -> None:
    """AUC (with ties), Brier score and accuracy are those of scikit-learn."""
    scored = credit_like(seed)
    found = {name: value(m, len(scored.truth)) for name, m in classification(scored, 0.4, COSTS).items()}
    assert found[AUC] == pytest.approx(truth_of.roc_auc_score(scored.truth, scored.predicted))
    assert found["Brier score"] == pytest.approx(truth_of.brier_score_loss(scored.truth, scored.predicted))
    declined = scored.predicted >= 0.4
    assert found["Accuracy at the threshold"] == pytest.approx(truth_of.accuracy_score(scored.truth, declined))


def test_cost_counts_both_errors() -> None:
    """Of four loans one bad is granted (5) and one good declined (1): 1.5 on average."""
    scored = Scored(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.1, 0.9, 0.9, 0.1]))
    assert value(classification(scored, 0.4, COSTS)["Mean cost at the threshold"], 4) == 1.5


@given(st.integers(0, 10_000))
def test_a_resample_is_the_metric_of_the_repeated_rows(seed: int) -> None:
    """Counts stand for repeated rows: each metric on counts equals the metric on the rows written out."""
    scored = credit_like(seed, rows=30)
    counts = np.random.default_rng(seed).integers(0, 4, 30).astype(float)
    counts[:2] = 1.0
    repeated = np.repeat(np.arange(30), counts.astype(int))
    long = Scored(scored.truth[repeated], scored.predicted[repeated])
    for metrics in (lambda s: classification(s, 0.4, COSTS), regression):
        for name, metric in metrics(scored).items():
            assert metric(counts[None, :])[0] == pytest.approx(value(metrics(long)[name], len(repeated))), name


@given(st.integers(0, 10_000))
def test_regression_agrees_with_scikit_learn(seed: int) -> None:
    """R², mean absolute and root mean squared error are those of scikit-learn."""
    rng = np.random.default_rng(seed)
    scored = Scored(rng.normal(150, 70, 60), rng.normal(150, 50, 60))
    found = {name: value(m, 60) for name, m in regression(scored).items()}
    assert found[R2] == pytest.approx(truth_of.r2_score(scored.truth, scored.predicted))
    assert found["Mean absolute error"] == pytest.approx(truth_of.mean_absolute_error(scored.truth, scored.predicted))
    squared = truth_of.mean_squared_error(scored.truth, scored.predicted)
    assert found["Root mean squared error"] == pytest.approx(squared**0.5)


def test_intervals_have_the_width_of_theory() -> None:
    """For a plain mean the bootstrap interval is close to mean ± 1.96 standard errors."""
    rng = np.random.default_rng(1)
    error = rng.normal(0.0, 1.0, 400)
    truth = rng.normal(0.0, 1.0, 400)
    scored = Scored(truth, truth + error)
    found = {m.name: m for m in intervals(regression(scored), 400)}["Mean prediction less mean truth"]
    half = 1.96 * error.std() / 20
    assert found.value == pytest.approx(error.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_calibration_groups_are_ordered_and_complete() -> None:
    """The five groups hold every row once, by rising prediction, each with its own share of bad loans."""
    scored = credit_like(3, rows=82)
    groups = calibration(scored)
    assert [n for n, _, _ in groups] == [17, 17, 16, 16, 16]
    means = [mean for _, mean, _ in groups]
    assert means == sorted(means)
    assert sum(n * share for n, _, share in groups) == pytest.approx(scored.truth.sum())
