"""What `Course` promises: rounds within the budget, more of them for a nearer goal, and an end that is told."""

import time
from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.ports import Ask
from explainer.attribution.sampled.course import FIRST, GROWTH, LEAST, RANKS, USUAL, Course, quantised
from explainer.attribution.uncertainty import enough

RAW = Ask("raw", (0,))
VALUES = np.array([[0.5], [0.3], [0.0]])


class Found:
    """What was sampled so far: fixed values, with errors that fall with the root of the rounds."""

    def __init__(self, rounds=0.0, error=0.1):
        self.rounds, self.error = rounds, error

    def values(self):
        return VALUES

    def standard_error(self, confidence):
        return np.full((3, 1), self.error) / max(self.rounds, 1) ** 0.5

    def uncertain(self):
        return self.error > 0


def course(ask, price=1000, players=10, each=0.0):
    """`each` is what a model row takes."""
    return Course(ask, price, 50, players, lambda rows: each * rows)


def all_rounds(of, error=0.1):
    """Every block's rounds."""
    given, done = [], Found(0.0, error)
    while rounds := of.rounds(done):
        given.append(rounds)
        done = Found(done.rounds + rounds, error)
    return given


def test_a_budget_is_spent_in_one_block():
    """Without a goal the budget's rounds are taken at once, or in even blocks where one would be too wide."""
    of = course(replace(RAW, max_evaluations=9500))
    assert all_rounds(of) == [9]
    assert of.stopped() == "evaluations"
    assert all_rounds(course(replace(RAW, max_evaluations=400_001))) == [100, 100, 100, 100]


def test_small_budgets_are_spent_in_parts_of_rounds():
    """Below twice FIRST rounds, where a round is a large part, as many quarters or halves as the budget holds."""
    assert all_rounds(course(replace(RAW, max_evaluations=2800))) == [2.75]
    assert all_rounds(course(replace(RAW, max_evaluations=4900))) == [4.5]
    assert [quantised(r) for r in (2.25, 2.49, 3.99, 4.6, 7.9, 8.9)] == [2.25, 2.25, 3.75, 4.5, 7.5, 8.0]


def test_without_settings_it_takes_what_permutation_takes():
    """USUAL times the rounds from which on an error is trusted."""
    assert sum(all_rounds(course(RAW))) == USUAL * enough(50)


def test_a_tighter_tolerance_takes_more_rounds():
    """Half the tolerance takes about four times the rounds, never fewer than the least at a time."""
    loose, tight = (all_rounds(course(replace(RAW, tolerance=t))) for t in (0.05, 0.025))
    assert 3 < sum(tight) / sum(loose) < 5
    assert min(loose + tight) >= LEAST


def test_a_met_tolerance_needs_no_words():
    """The first block may be enough: then nothing more is done or said but the rule."""
    of = course(replace(RAW, tolerance=0.05))
    assert all_rounds(of, error=0.001) == [max(FIRST, 1)]
    assert of.notices() == ()
    assert of.stopped() == "tolerance"


def test_features_that_lie_apart_end_it():
    """Two leading features 0.2 apart: rounds until the intervals part, each block at most GROWTH times what was."""
    of = course(replace(RAW, separate=2))
    given = all_rounds(of, error=0.2)
    assert of.stopped() == "ranks"
    assert of.notices() == ()
    assert len(given) > 1
    for i in range(1, len(given)):
        assert given[i] <= GROWTH * sum(given[:i])
    apart = course(replace(RAW, separate=2))
    assert len(all_rounds(apart, error=0.001)) == 1


def test_features_that_never_part_end_at_a_ceiling_that_is_told():
    """An error that stays large: RANKS model rows, then the words."""
    of = course(replace(RAW, separate=2))
    assert sum(all_rounds(of, error=50.0)) <= RANKS / 1000
    assert of.stopped() == "evaluations"
    assert [n.code for n in of.notices()] == ["budget-reached", "ranks-not-separated"]


def test_both_goals_must_be_reached():
    """A tolerance that is met long before the features part does not end it, nor the other way round."""
    both = replace(RAW, tolerance=0.3, separate=2)
    assert sum(all_rounds(course(both), 0.5)) == sum(all_rounds(course(replace(both, tolerance=9.0)), 0.5))
    both = replace(both, tolerance=0.01)
    of = course(both)
    assert sum(all_rounds(of, 0.1)) == pytest.approx((1.96 * 0.1 / 0.01) ** 2, rel=0.1)
    assert of.stopped() == "tolerance"


def test_a_budget_that_ends_before_the_tolerance_is_told():
    """Both notices, and no round beyond the budget."""
    of = course(replace(RAW, tolerance=1e-6, max_evaluations=20_500))
    assert sum(all_rounds(of)) <= 20.5
    assert [n.code for n in of.notices()] == ["budget-reached", "tolerance-not-met"]


def test_a_passed_deadline_leaves_the_least_block():
    """One block of LEAST rounds, which is not watched any more, and the notice."""
    of = course(replace(RAW, deadline=time.monotonic() - 1), each=1.0)
    assert all_rounds(of) == [LEAST]
    assert of.in_time(0.1)
    assert [n.code for n in of.notices()] == ["deadline-reached"]
    assert of.stopped() == "deadline"


def test_a_block_that_is_known_to_be_too_long_is_never_begun():
    """A millisecond a row and six seconds: the rounds that fit, and calls that are a small part of the time."""
    of = course(replace(RAW, deadline=time.monotonic() + 6, max_evaluations=16_500), each=1e-3)
    (given,) = all_rounds(of)
    assert LEAST <= given <= 6
    assert 1 <= of.portion(16_384) <= 600
    assert of.stopped() == "deadline"


def test_a_block_that_would_end_late_is_given_up_for_a_shorter():
    """A hundredth done when hardly any time is left: no; what comes instead is the least, and then the end."""
    of = course(replace(RAW, deadline=time.monotonic() + 0.05, max_evaluations=16_500))
    planned = of.rounds(Found())
    time.sleep(0.01)
    assert not of.in_time(0.001)
    shorter = of.rounds(Found())
    assert LEAST <= shorter < planned
    assert of.rounds(Found(shorter)) == 0
    assert [n.code for n in of.notices()] == ["deadline-reached"]


def test_a_far_deadline_changes_nothing():
    """The rounds and portions are those without a deadline, so that the answer has the same bits."""
    settings = replace(RAW, tolerance=0.01)
    far = course(replace(settings, deadline=time.monotonic() + 1e6), each=1e-3)
    assert all_rounds(far) == all_rounds(course(settings))
    assert far.in_time(1e-3)
    assert far.portion(16_384) == 16_384


def test_nothing_to_sample_is_one_block():
    """A price of nothing: one block, which costs nothing, and the end."""
    of = Course(RAW, 0, 5, 1, lambda _: 0.0)
    assert all_rounds(of, error=0.0) == [LEAST]
    assert of.stopped() == "converged"
    assert all_rounds(Course(replace(RAW, tolerance=0.1), 0, 5, 1, lambda _: 0.0), error=0.0) == [LEAST]


def test_it_asks_for_no_more_than_all_pairs():
    """Six players have 31 pairs, five a round: seven rounds are exact, whatever the tolerance would take."""
    of = course(replace(RAW, tolerance=1e-9), players=6)
    first = of.rounds(Found())
    assert of.rounds(Found(first)) == 7
