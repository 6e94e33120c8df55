"""What the sampled methods do with models that are constant, single precision, noisy or slow."""

from __future__ import annotations

import time

import numpy as np
import pytest

from explainer.attribution.engine import Engine
from explainer.records import ExplainOptions, FloatArray
from tests.attribution.fakes import brute_force, manifest, regression, subject

SAMPLED = ["permutation", "paired", "kernel"]
ROWS = np.random.default_rng(3).normal(size=(20, 6))
ROW = np.random.default_rng(4).normal(size=(1, 6))


def curve(x: FloatArray) -> FloatArray:
    return np.asarray(x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3])


def explained(model, method, **options):
    of = subject(model, ROWS)
    return Engine(of).explain(ROW, ExplainOptions(method=method, **options), manifest(of))[0][0]


@pytest.mark.parametrize("method", SAMPLED)
def test_a_constant_model_has_no_reasons(method: str) -> None:
    """Every attribution and every error is zero, and nothing is divided by it."""
    e = explained(regression(lambda x: np.full(len(x), 7.0)), method)
    assert e.prediction == 7.0
    assert abs(e.expected_value - 7.0) < 1e-12
    assert np.abs(e.attributions).max() < 1e-12
    assert max(s or 0.0 for s in e.standard_errors) < 1e-12


@pytest.mark.parametrize("method", SAMPLED)
def test_a_single_precision_model_is_explained_within_its_errors(method: str) -> None:
    """float32 outputs are taken as they are: the values lie within their stated errors of the enumerated ones."""
    e = explained(regression(lambda x: curve(x).astype(np.float32)), method)
    truth = brute_force(lambda x: curve(x)[:, None], ROW[0], ROWS, np.full(20, 0.05))[:, 0]
    errors = np.array([s or 0.0 for s in e.standard_errors])
    assert (np.abs(np.array(e.attributions) - truth) < 5 * errors + 1e-5).all()


def noisy(seed: int):
    """The curve with noise of standard deviation 0.05 in every answer."""
    noise = np.random.default_rng(seed)
    return regression(lambda x: curve(x) + noise.normal(0, 0.05, len(x)))


@pytest.mark.parametrize("method", ["permutation", "paired", "kernel", "exact"])
def test_a_noisy_model_is_answered_with_its_noise_in_the_errors_and_a_warning(method: str) -> None:
    """Twenty answers, each warned of and none called exact; 95 % intervals hold the noiseless values as often or more
    often than they say."""
    truth = brute_force(lambda x: curve(x)[:, None], ROW[0], ROWS, np.full(20, 0.05))[:, 0]
    held = []
    for seed in range(20):
        e = explained(noisy(seed), method, seed=seed)
        assert [w.code for w in e.warnings] == ["noisy-model"]
        assert not e.method.exact
        held.append(np.abs(np.array(e.attributions) - truth) <= 1.96 * np.array(e.standard_errors))
    assert np.mean(held) >= 0.93


def test_a_quiet_model_is_not_asked_again() -> None:
    """Where the sum is right to rounding no further answer is asked for, and nothing is said."""
    calls = []

    def counted(x: FloatArray) -> FloatArray:
        calls.append(len(x))
        return curve(x)

    e = explained(regression(counted), "exact")
    assert e.warnings == ()
    assert calls.count(1) <= 3


@pytest.mark.parametrize("method", ["permutation", "paired"])
def test_a_slow_model_stops_at_its_deadline(method: str) -> None:
    """A model of a millisecond a row is answered with what the deadline allowed, and the answer says so."""

    def slow(x: FloatArray) -> FloatArray:
        time.sleep(len(x) * 1e-3)
        return curve(x)

    e = explained(regression(slow), method, deadline_ms=400, tolerance=1e-9, max_evaluations=10_000_000)
    assert "deadline-reached" in {w.code for w in e.warnings}
    assert e.method.evaluations < 5_000
    assert max(s or 0.0 for s in e.standard_errors) > 0
