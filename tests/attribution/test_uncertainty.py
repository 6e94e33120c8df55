"""What `uncertainty` promises: intervals that hold the truth as often as they say, from few draws too."""

import numpy as np
import pytest
from scipy.special import stdtrit

from explainer.attribution.uncertainty import StratifiedMean, enough, honest, two_sided


def test_two_sided_quantiles_are_the_textbooks():
    """95 % lies within 1.95996 standard deviations, 99 % within 2.57583."""
    assert two_sided(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert two_sided(0.99) == pytest.approx(2.575829, abs=1e-6)


def test_an_honest_error_gives_students_interval():
    """With four degrees of freedom the half-width is 2.77645 plain standard errors; with very many 1.96."""
    z = two_sided(0.95)
    assert z * honest(np.array(1.0), np.array(4.0), 0.95) == pytest.approx(2.776445, abs=1e-5)
    assert z * honest(np.array(1.0), np.array(1e9), 0.95) == pytest.approx(z, abs=1e-4)


@pytest.mark.parametrize("confidence", [0.95, 0.999])
def test_the_expansion_meets_the_quantile_itself(confidence):
    """For 50 degrees of freedom and more the interval is scipy's to a millionth, on both sides of the change."""
    degrees = np.array([1.0, 3.0, 49.9, 50.0, 51.0, 80.0, 1e3, 1e6])
    expected = stdtrit(degrees, 0.5 + confidence / 2)
    assert two_sided(confidence) * honest(np.ones(8), degrees, confidence) == pytest.approx(expected, rel=1e-6)


def test_mean_and_error_are_those_of_a_stratified_sample():
    """The running formulas equal the textbook's on all draws at once: sum of w^2 s^2 / n."""
    draws = np.random.default_rng(0).normal(size=(200, 3, 2))
    weights = np.array([0.5, 0.3, 0.2])
    mean = StratifiedMean(weights, (2,))
    for draw in draws:
        mean.add(draw)
    plain = np.sqrt((weights[:, None] ** 2 * draws.var(axis=0, ddof=1) / 200).sum(axis=0))
    assert mean.mean() == pytest.approx((weights[:, None] * draws.mean(axis=0)).sum(axis=0), rel=1e-12)
    got = mean.standard_error(0.95)
    assert (got > plain).all()
    assert got == pytest.approx(plain, rel=0.01)


@pytest.mark.parametrize("skew", [1, 5])
def test_intervals_from_the_fewest_rounds_hold_the_truth_nineteen_times_in_twenty(skew):
    """A hundred strata of unequal weight and very unequal spread, four rounds: 94 % to 98 % of 2,000 intervals."""
    rng = np.random.default_rng(1)
    assert enough(100) == 4
    weights = rng.dirichlet(np.ones(100))
    spread = rng.exponential(size=(100, 1)) ** skew
    mean = StratifiedMean(weights, (2000,))
    for _ in range(4):
        mean.add(spread * rng.normal(size=(100, 2000)))
    held = (np.abs(mean.mean()) <= two_sided(0.95) * mean.standard_error(0.95)).mean()
    assert 0.94 <= held <= 0.98


def test_fewer_rounds_err_on_the_side_of_a_wider_interval():
    """Draws that are rarely anything but zero: two rounds hold the truth at least as often as they say."""
    rng = np.random.default_rng(2)
    mean = StratifiedMean(np.full(20, 0.05), (4000,))
    for _ in range(2):
        mean.add((rng.random((20, 4000)) < 0.2).astype(float))
    assert (np.abs(mean.mean() - 0.2) <= two_sided(0.95) * mean.standard_error(0.95)).mean() >= 0.94


def test_one_round_is_judged_by_the_spread_between_strata():
    """One draw a stratum still gives an error, and that of one stratum alone is not known."""
    mean = StratifiedMean(np.full(4, 0.25), (1,))
    mean.add(np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert mean.standard_error(0.95)[0] > np.std([1, 2, 3, 4], ddof=1) / 2
    alone = StratifiedMean(np.ones(1), (1,))
    alone.add(np.array([[1.0]]))
    assert np.isnan(alone.standard_error(0.95)[0])


def test_draws_that_never_vary_have_no_error():
    """Constant draws give a standard error of exactly zero."""
    mean = StratifiedMean(np.full(2, 0.5), (1,))
    for _ in range(enough(2)):
        mean.add(np.array([[1.0], [3.0]]))
    assert mean.standard_error(0.95)[0] == 0.0


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_some_strata_may_have_one_draw_more(rounds):
    """With 40 of 100 strata drawn once more the mean has less error than without, stays unbiased, and its intervals
    hold the truth at least 93 times in a hundred: of 2,000 means with strata of unequal height and spread."""
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(100) * 5)
    heights, spread = 0.2 * rng.normal(size=(100, 1)), rng.exponential(size=(100, 1))
    mean = StratifiedMean(weights, (2000,))
    for _ in range(rounds):
        mean.add(heights + spread * rng.normal(size=(100, 2000)))
    off = [mean.mean() - weights @ heights[:, 0]]
    chosen = np.argsort(-weights)[:40]
    mean.add_to(chosen, heights[chosen] + spread[chosen] * rng.normal(size=(40, 2000)))
    off.append(mean.mean() - weights @ heights[:, 0])
    assert off[1].std() < off[0].std()
    assert abs(off[1].mean()) < 4 * off[1].std() / np.sqrt(2000)
    assert (np.abs(off[1]) <= two_sided(0.95) * mean.standard_error(0.95)).mean() >= 0.93
    assert mean.rounds == rounds


def test_what_is_zero_in_every_draw_still_has_an_error_where_it_is_possible():
    """Of three entries one was never drawn: its error is one draw of average size; the impossible one has none."""
    rng = np.random.default_rng(4)
    mean = StratifiedMean(np.full(10, 0.1), (3, 1), np.array([True, True, False]))
    for _ in range(50):
        draw = np.zeros((10, 3, 1))
        draw[:, 0, 0] = rng.normal(size=10)
        mean.add(draw)
    seen, never, impossible = mean.standard_error(0.95)[:, 0]
    assert never == pytest.approx(np.sqrt(0.5) / 500, rel=0.1)
    assert seen == pytest.approx(1 / np.sqrt(500), rel=0.1)
    assert impossible == 0
