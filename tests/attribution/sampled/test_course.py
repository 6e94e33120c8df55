"""What `Course` promises: rounds within the budget, more of them for a tighter tolerance, and an end that is told."""

import time
from dataclasses import replace

import numpy as np

from explainer.attribution.ports import Ask
from explainer.attribution.sampled.course import LEAST, USUAL, Course
from explainer.attribution.uncertainty import enough

RAW = Ask("raw", (0,))
WIDE = np.full((3, 1), 0.1)


def course(ask, price=1000, players=10):
    return Course(ask, price, 50, players)


def all_rounds(of, errors=WIDE):
    """Every block's rounds, with errors that fall as they do in nature."""
    given, done = [], 0
    while rounds := of.rounds(done, errors / max(done, 1) ** 0.5):
        given.append(rounds)
        done += rounds
    return given


def test_a_budget_is_spent_in_one_block():
    """Without a tolerance the budget's rounds are taken at once, or in even blocks where one would be too wide."""
    assert all_rounds(course(replace(RAW, max_evaluations=9500))) == [9]
    assert all_rounds(course(replace(RAW, max_evaluations=400_001))) == [100, 100, 100, 100]


def test_without_settings_it_takes_what_permutation_takes():
    """USUAL times the rounds from which on an error is trusted."""
    assert sum(all_rounds(course(RAW))) == USUAL * enough(50)


def test_a_tighter_tolerance_takes_more_rounds():
    """Half the tolerance takes about four times the rounds, never fewer than the least at a time."""
    loose, tight = (all_rounds(course(replace(RAW, tolerance=t))) for t in (0.05, 0.025))
    assert 3 < sum(tight) / sum(loose) < 5
    assert min(loose + tight) >= LEAST


def test_a_met_tolerance_needs_no_words():
    """The first block may be enough: then nothing more is done or said."""
    of = course(replace(RAW, tolerance=0.05))
    first = of.rounds(0, WIDE * 0)
    assert of.rounds(first, WIDE / 100) == 0
    assert of.notices(WIDE / 100) == ()


def test_a_budget_that_ends_before_the_tolerance_is_told():
    """Both notices, and no round beyond the budget."""
    of = course(replace(RAW, tolerance=1e-6, max_evaluations=20_500))
    given = all_rounds(of)
    assert sum(given) <= 20
    assert [n.code for n in of.notices(WIDE)] == ["budget-reached", "tolerance-not-met"]


def test_a_passed_deadline_leaves_the_least_block():
    """One block of LEAST rounds, which is not watched any more, and the notice."""
    of = course(replace(RAW, deadline=time.monotonic() - 1))
    assert all_rounds(of) == [LEAST]
    assert of.in_time(0.1)
    assert [n.code for n in of.notices(WIDE)] == ["deadline-reached"]


def test_a_block_that_would_end_late_is_given_up_for_a_shorter():
    """A hundredth done when hardly any time is left: no; what comes instead is the least, and then the end."""
    of = course(replace(RAW, deadline=time.monotonic() + 0.05, max_evaluations=16_500))
    planned = of.rounds(0, WIDE)
    time.sleep(0.01)
    assert not of.in_time(0.001)
    shorter = of.rounds(0, WIDE)
    assert LEAST <= shorter < planned
    assert of.rounds(shorter, WIDE) == 0
    assert [n.code for n in of.notices(WIDE)] == ["deadline-reached"]


def test_a_far_deadline_changes_nothing():
    """The rounds are those without a deadline, so that the answer has the same bits."""
    settings = replace(RAW, tolerance=0.01)
    far = course(replace(settings, deadline=time.monotonic() + 1e6))
    assert all_rounds(far) == all_rounds(course(settings))
    assert far.in_time(1e-3)


def test_nothing_to_sample_is_one_block():
    """A price of nothing: one block, which costs nothing, and the end."""
    assert all_rounds(Course(RAW, 0, 5, 1)) == [LEAST]
    assert all_rounds(Course(replace(RAW, tolerance=0.1), 0, 5, 1), WIDE * 0) == [LEAST]


def test_it_asks_for_no_more_than_all_pairs():
    """Six players have 31 pairs, five a round: seven rounds are exact, whatever the tolerance would take."""
    of = course(replace(RAW, tolerance=1e-9), players=6)
    first = of.rounds(0, WIDE)
    assert of.rounds(first, WIDE) == 7
