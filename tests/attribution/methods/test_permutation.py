"""What `permutation` promises: unbiased values, honest errors, and a sampling that stops where it should."""

import time
from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.methods import exact
from explainer.attribution.methods.permutation import METHOD, USUAL
from explainer.attribution.ports import Ask
from explainer.attribution.uncertainty import enough, two_sided
from tests.attribution.fakes import bent, classifier, mixed_rows, network, regression, subject, support_vectors

PASSES = USUAL * enough(30)  # of the network's background, where nothing else is asked
PROBABILITY, RAW = Ask("probability", (1,)), Ask("raw", (0,))
BINARY = subject(classifier(bent), mixed_rows(12, 0))
ROWS = np.nan_to_num(mixed_rows(6, 7))


def sampled(of, ask, rows, seeds):
    return METHOD.prepare(of, ask).explain(rows, seeds, ask)


@pytest.mark.parametrize(("of", "ask"), [(network(), PROBABILITY), (support_vectors(), RAW)], ids=["mlp", "svc"])
def test_intervals_hold_the_exact_values_nineteen_times_in_twenty(of, ask):
    """Six rows, twelve seeds, six features against enumeration: between 92 % and 98 %, and no bias."""
    truth = exact.METHOD.prepare(of, ask).explain(ROWS, [0] * 6, ask).values
    runs = [sampled(of, ask, ROWS, range(100 * s, 100 * s + 6)) for s in range(12)]
    errors = np.stack([run.values - truth for run in runs])
    stated = np.stack([run.standard_errors for run in runs])
    held = np.abs(errors) <= two_sided(0.95) * stated + 1e-12
    assert 0.92 <= held.mean() <= 0.98
    mean_error = errors.mean(axis=0) / (np.sqrt((stated**2).mean(axis=0) / 12) + 1e-15)
    assert np.abs(mean_error).max() < 4.5


def test_attributions_add_up_whenever_sampling_ends():
    """After any number of passes expected value and attributions give the prediction to rounding."""
    for budget in (150, 400, 1000, 5000):
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
    """A background of one row nine times and another once lies near the exact values of that weighting."""
    rows = np.concatenate([np.tile(mixed_rows(1, 3), (9, 1)), mixed_rows(1, 4)])
    of = subject(classifier(bent), rows)
    truth = exact.METHOD.prepare(of, PROBABILITY).explain(ROWS[:1], [0], PROBABILITY)
    got = sampled(of, replace(PROBABILITY, max_evaluations=20_000), ROWS[:1], [0])
    assert np.abs(got.values - truth.values).max() < 5 * got.standard_errors.max()
    assert got.standard_errors.max() < 0.01


def test_it_samples_until_the_tolerance_is_met():
    """A tighter tolerance takes more model rows, the widest interval meets it, and nothing needs to be said."""
    spent = []
    for tolerance in (0.05, 0.01):
        got = sampled(network(), replace(PROBABILITY, tolerance=tolerance), ROWS[:1], [0])
        assert two_sided(0.95) * got.standard_errors.max() <= tolerance
        assert got.notices == ((),)
        spent.append(got.evaluations[0])
    assert spent[0] < spent[1]


def test_a_budget_that_does_not_reach_the_tolerance_is_told():
    """It stops within max_evaluations and says both that the budget ended it and how far it came."""
    got = sampled(network(), replace(PROBABILITY, tolerance=1e-6, max_evaluations=3000), ROWS[:1], [0])
    assert got.evaluations[0] <= 3000
    assert [notice.code for notice in got.notices[0]] == ["budget-reached", "tolerance-not-met"]
    assert "±1e-06 was asked for" in got.notices[0][1].detail


def test_what_a_pass_does_not_fit_into_is_spent_on_some_walks():
    """Between one pass and two the budget is used to less than the price of a walk and back, the error falls on
    average, and the mean over 300 seeds is the exact value."""
    rows = np.random.default_rng(1).normal(size=(9, 6))
    of = subject(regression(lambda x: np.tanh(x[:, 0] * x[:, 1] * x[:, 2] + x[:, 3] * x[:, 4] * x[:, 5])), rows[:8])
    truth = exact.METHOD.prepare(of, RAW).explain(rows[8:], [0], RAW).values
    pair = 10
    off = {}
    for budget in (1 + 8 * pair, 1 + 13 * pair + 5):
        ready = METHOD.prepare(of, replace(RAW, max_evaluations=budget))
        runs = [ready.explain(rows[8:], [s], replace(RAW, max_evaluations=budget)) for s in range(300)]
        assert {int(run.evaluations[0]) for run in runs} == {budget // pair * pair + 1}
        off[budget] = np.stack([run.values - truth for run in runs])
        assert all(run.stopped == ("evaluations",) for run in runs)
    short, long = off.values()
    assert (long**2).mean() < (short**2).mean()
    assert np.abs(long.mean(axis=0)).max() < 4 * long.std(axis=0).max() / np.sqrt(300)


def test_a_deadline_ends_sampling_between_passes():
    """A deadline in the past leaves one pass, its wider error and the notice."""
    late = replace(PROBABILITY, deadline=time.monotonic() - 1)
    got, full = sampled(network(), late, ROWS[:1], [0]), sampled(network(), PROBABILITY, ROWS[:1], [0])
    assert (got.evaluations[0] - 1) * PASSES == full.evaluations[0] - 1
    assert [notice.code for notice in got.notices[0]] == ["deadline-reached"]
    assert got.standard_errors.max() > full.standard_errors.max()


def test_a_budget_is_spent_where_no_tolerance_is_given():
    """max_evaluations alone is the sampling's length, whether below or above the usual number of passes."""
    usual = int(sampled(network(), PROBABILITY, ROWS[:1], [0]).evaluations[0])
    one_pass = (usual - 1) // PASSES
    for budget in (usual // 3, usual * 3):
        got = sampled(network(), replace(PROBABILITY, max_evaluations=budget), ROWS[:1], [0])
        assert budget - one_pass < got.evaluations[0] <= budget
        assert got.notices == ((),)


def test_a_single_background_row_still_has_an_error():
    """With one row to start from two pairs of walks are the least."""
    of = subject(regression(bent), mixed_rows(1, 0))
    got = sampled(of, replace(RAW, deadline=time.monotonic() - 1), ROWS[:1], [0])
    assert np.isfinite(got.standard_errors).all()
    assert got.values.sum() == pytest.approx(got.predictions[0, 0] - got.expected[0, 0], abs=1e-12)


def test_a_row_next_to_the_background_is_known_exactly():
    """Where one feature differs from each baseline no walk has an inner point, and no error is left."""
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
    assert sampled(BINARY, enough, ROWS[:1], [0]).evaluations[0] == least


def test_other_seeds_give_other_samples():
    """The seed alone decides the walks."""
    first, again, other = (sampled(network(), PROBABILITY, ROWS[:1], [seed]).values for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
