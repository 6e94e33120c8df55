"""What `paired` promises: unbiased values, honest errors, and a sampling that stops where it should."""

import time
from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.methods import exact, permutation
from explainer.attribution.methods.paired import METHOD
from explainer.attribution.ports import Ask
from explainer.attribution.uncertainty import two_sided
from tests.attribution.fakes import bent, classifier, mixed_rows, network, regression, subject, support_vectors

PROBABILITY, RAW = Ask("probability", (1,)), Ask("raw", (0,))
BINARY = subject(classifier(bent), mixed_rows(12, 0))
ROWS = np.nan_to_num(mixed_rows(6, 7))
TEN = mixed_rows(6, 8, d=10)
TEN[:, 5:] = np.random.default_rng(8).normal(size=(6, 5))


def curved(x):
    return np.tanh(
        x[:, 0] * x[:, 1] + x[:, 2] + x[:, 3] * x[:, 4] * x[:, 5] - x[:, 6] + np.sin(x[:, 7] + x[:, 8]) * x[:, 9]
    )


BLACK_BOX = subject(regression(curved), np.random.default_rng(9).normal(size=(20, 10)))


def sampled(of, ask, rows, seeds):
    return METHOD.prepare(of, ask).explain(rows, seeds, ask)


@pytest.mark.parametrize("budget", [1100, 2000, 4000])
def test_intervals_hold_the_exact_values_nineteen_times_in_twenty(budget):
    """Ten features, six rows, forty seeds against enumeration, few rounds and many: 93 % to 97.5 %, and no bias."""
    ask = replace(RAW, max_evaluations=budget)
    ready = METHOD.prepare(BLACK_BOX, ask)
    truth = exact.METHOD.prepare(BLACK_BOX, ask).explain(TEN, [0] * 6, ask).values
    runs = [ready.explain(TEN, range(100 * s, 100 * s + 6), ask) for s in range(40)]
    errors = np.stack([run.values - truth for run in runs])
    stated = np.stack([run.standard_errors for run in runs])
    held = np.abs(errors) <= two_sided(0.95) * stated
    assert 0.93 <= held.mean() <= 0.975
    mean_error = errors.mean(axis=0) / np.sqrt((stated**2).mean(axis=0) / 40)
    assert np.abs(mean_error).max() < 4


@pytest.mark.parametrize(("of", "ask"), [(network(), PROBABILITY), (support_vectors(), RAW)], ids=["mlp", "svc"])
def test_few_features_are_exact_before_the_usual_work_is_done(of, ask):
    """Six features have 31 pairs: all are evaluated, the values are enumeration's, and the error is zero."""
    truth = exact.METHOD.prepare(of, ask).explain(ROWS, [0] * 6, ask)
    got = sampled(of, ask, ROWS, range(6))
    assert got.values == pytest.approx(truth.values, abs=1e-12)
    assert not got.standard_errors.any()
    assert (got.evaluations < truth.evaluations).all()


def test_attributions_add_up_whenever_sampling_ends():
    """After any number of rounds expected value and attributions give the prediction to rounding."""
    for budget in (400, 1000, 5000):
        got = sampled(BINARY, replace(PROBABILITY, max_evaluations=budget), ROWS, range(6))
        assert (got.evaluations <= budget).all()
        assert got.expected + got.values.sum(axis=1) == pytest.approx(got.predictions, abs=1e-13)


def test_features_that_never_differ_get_nothing_and_have_no_error():
    """A feature that equals the whole background's is no player: exactly zero, with an error of zero."""
    rows = mixed_rows(12, 0)
    rows[:, 4] = 1.0
    x = np.where(np.arange(6) == 4, 1.0, ROWS[:1])
    got = sampled(subject(classifier(bent), rows), PROBABILITY, x, [0])
    assert got.values[0, 4, 0] == got.standard_errors[0, 4, 0] == 0.0


def test_repeated_background_rows_count_as_often_as_they_occur():
    """A background of one row nine times and another once has the exact values of that weighting."""
    rows = np.concatenate([np.tile(mixed_rows(1, 3), (9, 1)), mixed_rows(1, 4)])
    of = subject(classifier(bent), rows)
    truth = exact.METHOD.prepare(of, PROBABILITY).explain(ROWS[:1], [0], PROBABILITY)
    got = sampled(of, replace(PROBABILITY, max_evaluations=20_000), ROWS[:1], [0])
    assert got.values == pytest.approx(truth.values, abs=1e-12)


def test_it_samples_until_the_tolerance_is_met():
    """A tighter tolerance takes more model rows, the widest interval meets it, and nothing needs to be said."""
    spent = []
    for tolerance in (0.2, 0.05):
        got = sampled(BLACK_BOX, replace(RAW, tolerance=tolerance), TEN[:1], [0])
        assert two_sided(0.95) * got.standard_errors.max() <= tolerance
        assert got.notices == ((),)
        spent.append(got.evaluations[0])
    assert spent[0] < spent[1]


def test_a_budget_that_does_not_reach_the_tolerance_is_told():
    """It stops within max_evaluations and says both that the budget ended it and how far it came."""
    got = sampled(BLACK_BOX, replace(RAW, tolerance=1e-6, max_evaluations=3000), TEN[:1], [0])
    assert got.evaluations[0] <= 3000
    assert [notice.code for notice in got.notices[0]] == ["budget-reached", "tolerance-not-met"]
    assert "±1e-06 was asked for" in got.notices[0][1].detail


def test_a_passed_deadline_leaves_the_least():
    """A deadline in the past leaves the fewest rounds, their wider error and the notice."""
    late = replace(RAW, deadline=time.monotonic() - 1)
    got, full = sampled(BLACK_BOX, late, TEN[:1], [0]), sampled(BLACK_BOX, RAW, TEN[:1], [0])
    assert 3 * got.evaluations[0] < full.evaluations[0]
    assert [notice.code for notice in got.notices[0]] == ["deadline-reached"]
    assert got.standard_errors.max() > full.standard_errors.max()


def test_a_deadline_that_is_not_reached_changes_no_bit():
    """With an hour to spare values, errors and evaluations are those of no deadline at all."""
    far = replace(PROBABILITY, deadline=time.monotonic() + 3600)
    got, full = sampled(network(), far, ROWS[:2], [0, 1]), sampled(network(), PROBABILITY, ROWS[:2], [0, 1])
    assert np.array_equal(got.values, full.values)
    assert np.array_equal(got.standard_errors, full.standard_errors)
    assert got.evaluations.tolist() == full.evaluations.tolist()


def test_a_budget_is_spent_where_no_tolerance_is_given():
    """max_evaluations alone is the sampling's length, whether below or above the usual number of rounds."""
    for budget in (2000, 3000, 8000):
        got = sampled(BLACK_BOX, replace(RAW, max_evaluations=budget), TEN[:1], [0])
        assert 0.8 * budget < got.evaluations[0] <= budget
        assert got.notices == ((),)


def test_it_is_closer_than_permutation_for_the_same_work():
    """Ten features, six rows, ten seeds, equal budgets: less than half of permutation's squared error."""
    ask = replace(RAW, max_evaluations=4000)
    truth = exact.METHOD.prepare(BLACK_BOX, ask).explain(TEN, [0] * 6, ask).values
    off = []
    for method in (METHOD, permutation.METHOD):
        ready = method.prepare(BLACK_BOX, ask)
        runs = [ready.explain(TEN, range(100 * s, 100 * s + 6), ask).values for s in range(10)]
        off.append(np.square(np.stack(runs) - truth).mean())
    assert off[0] < off[1] / 2


def test_a_single_background_row_still_has_an_error():
    """One row to start from is enough for an error: it comes from the residuals."""
    of = subject(regression(bent), mixed_rows(1, 0))
    got = sampled(of, replace(RAW, deadline=time.monotonic() - 1), ROWS[:1], [0])
    assert np.isfinite(got.standard_errors).all()
    assert got.values.sum() == pytest.approx(got.predictions[0, 0] - got.expected[0, 0], abs=1e-12)


def test_a_row_next_to_the_background_is_known_exactly():
    """Where one feature differs from each baseline there is nothing to sample, and no error is left."""
    near = ROWS[:1] + np.eye(6)[:3]
    got = sampled(subject(regression(bent), near), RAW, ROWS[:1], [0])
    truth = exact.METHOD.prepare(subject(regression(bent), near), RAW).explain(ROWS[:1], [0], RAW)
    assert got.values == pytest.approx(truth.values, abs=1e-14)
    assert not got.standard_errors.any()
    assert got.evaluations[0] == 1


def test_it_fits_unless_the_budget_forbids_a_pass():
    """The refusal names the least number of evaluations, and that number is then accepted and enough."""
    assert METHOD.suits(BINARY, PROBABILITY, ROWS[0]).fits
    refused = METHOD.suits(BINARY, replace(PROBABILITY, max_evaluations=1), ROWS[0])
    assert not refused.fits
    least = int(refused.why.split("at least ")[1].split(" ")[0].replace(",", ""))
    enough = replace(PROBABILITY, max_evaluations=least)
    assert METHOD.suits(BINARY, enough, ROWS[0]).fits
    assert 0 < sampled(BINARY, enough, ROWS[:1], [0]).evaluations[0] <= least


def test_very_many_features_are_left_to_permutation():
    """More differing features than designs are made for: refused with both numbers."""
    rows = np.random.default_rng(0).normal(size=(4, 150))
    refused = METHOD.suits(subject(regression(lambda x: x.sum(axis=1)), rows[:3]), RAW, rows[3])
    assert not refused.fits
    assert "128" in refused.why
    assert "150" in refused.why


def test_other_seeds_give_other_samples():
    """The seed alone decides the samples."""
    first, again, other = (sampled(network(), PROBABILITY, ROWS[:1], [seed]).values for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
