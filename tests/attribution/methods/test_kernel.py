"""What `kernel` promises: shap's KernelExplainer with every feature kept, and no random numbers disturbed."""

import time
from dataclasses import replace

import numpy as np
import pytest
import shap

from explainer.attribution.methods import exact
from explainer.attribution.methods.kernel import COALITIONS, METHOD, RUNS
from explainer.attribution.ports import Ask
from explainer.attribution.uncertainty import two_sided
from tests.attribution.fakes import bent, classifier, mixed_rows, network, regression, subject

ASK = Ask("probability", (0, 1))
ROWS = np.nan_to_num(mixed_rows(3, 7))


def wide(d=12):
    """A regression in which every one of `d` features matters, and pairs interact."""
    rows = np.random.default_rng(0).normal(size=(5, d))
    return subject(regression(lambda x: x.sum(axis=1) + (x * np.roll(x, 1, axis=1)).sum(axis=1)), rows)


def run(of, ask, rows, seed=0):
    return METHOD.prepare(of, ask).explain(rows, [seed] * len(rows), ask)


def test_few_features_are_exact():
    """With all coalitions of six features in one run the values are enumeration's, missing values and all."""
    of = subject(classifier(bent), mixed_rows(9, 0))
    rows = mixed_rows(4, 1)
    got, truth = run(of, ASK, rows), exact.METHOD.prepare(of, ASK).explain(rows, [0] * 4, ASK)
    assert got.values == pytest.approx(truth.values, abs=1e-9)
    assert not got.standard_errors.any()


def test_it_is_the_librarys_own_answer():
    """One run equals what shap.KernelExplainer says when it is given model and background itself."""
    of = network()
    got = run(of, ASK, ROWS)
    theirs = shap.KernelExplainer(of.model.predict, of.background.rows).shap_values(ROWS, l1_reg=False, silent=True)
    assert got.values == pytest.approx(theirs, abs=1e-9)


def test_every_feature_is_kept_and_the_error_is_honest():
    """Twelve features of twelve get a value, within five stated errors of the exact one, and they add up."""
    of, ask = wide(), Ask("raw", (0,))
    rows = np.random.default_rng(1).normal(size=(1, 12))
    got, truth = run(of, ask, rows), exact.METHOD.prepare(of, ask).explain(rows, [0], ask)
    assert (got.values != 0).all()
    assert (np.abs(got.values - truth.values) <= 5 * got.standard_errors + 1e-9).all()
    assert got.expected + got.values.sum(axis=1) == pytest.approx(got.predictions, rel=1e-9)
    assert got.evaluations[0] == 1 + RUNS * (24 + COALITIONS) * 5


def test_small_outputs_are_not_taken_for_zero():
    """The library sets values below 1e-10 to zero; a model that answers in billionths of a billionth is unharmed."""
    tiny = subject(regression(lambda x: 1e-15 * bent(x)), mixed_rows(9, 0))
    plain = subject(regression(bent), mixed_rows(9, 0))
    ask = Ask("raw", (0,))
    assert run(tiny, ask, ROWS).values * 1e15 == pytest.approx(run(plain, ask, ROWS).values, rel=1e-6, abs=1e-9)


def test_numpys_global_random_numbers_go_on_as_if_nothing_had_happened():
    """The library draws from numpy's global state; that state is put back, and does not change the answer."""
    ask, rows = Ask("raw", (0,)), np.ones((1, 12))
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    first = run(wide(), ask, rows, seed=3)
    assert np.array_equal(np.random.random(3), expected)
    assert np.array_equal(run(wide(), ask, rows, seed=3).values, first.values)
    assert not np.array_equal(run(wide(), ask, rows, seed=4).values, first.values)


def test_a_row_that_is_the_background_has_no_reasons():
    """No differing feature means no run; one differing feature gets the whole difference."""
    of = subject(regression(bent), ROWS[:1])
    ask = Ask("raw", (0,))
    assert not run(of, ask, ROWS[:1]).values.any()
    near = ROWS[:1] + np.eye(6)[:1]
    got = run(of, ask, near)
    assert got.values[0, :, 0] == pytest.approx(np.eye(6)[0] * (bent(near) - bent(ROWS[:1])), abs=1e-12)


def test_a_budget_is_kept_or_refused():
    """Within max_evaluations the runs are shorter; what is too little is refused with the least that would do."""
    of, ask, row = wide(), Ask("raw", (0,)), np.ones((1, 12))
    assert run(of, replace(ask, max_evaluations=2000), row).evaluations[0] <= 2000
    refused = METHOD.suits(of, replace(ask, max_evaluations=100), row[0])
    assert not refused.fits
    assert "at least 1,801" in refused.why
    assert METHOD.suits(of, replace(ask, max_evaluations=1801), row[0]).fits


def test_deadline_and_tolerance_are_reported_on():
    """After a deadline one run is all, its error unknown; a missed tolerance is told with what was reached."""
    ask, row = Ask("raw", (0,), tolerance=1e-9), np.ones((1, 12))
    got = run(wide(), replace(ask, deadline=time.monotonic() - 1), row)
    assert [notice.code for notice in got.notices[0]] == ["deadline-reached", "tolerance-not-met"]
    assert np.isnan(got.standard_errors).all()
    full = run(wide(), ask, row)
    reached = two_sided(0.95) * full.standard_errors.max()
    assert f"±{reached:.3g}" in full.notices[0][0].detail


def test_the_least_budget_gives_no_nonsense():
    """From the least number of coalitions on a run's regression is well posed: no error beyond the values' size."""
    of, row = wide(), np.random.default_rng(2).normal(size=(1, 12))
    ask = Ask("raw", (0,), max_evaluations=1801)
    truth = exact.METHOD.prepare(of, ask).explain(row, [0], ask).values
    for seed in range(20):
        assert np.abs(run(of, ask, row, seed).values - truth).max() < np.abs(truth).max()
