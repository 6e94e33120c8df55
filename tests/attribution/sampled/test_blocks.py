"""What `block` promises: unbiased values with their variance, sums that hold, and portions that can be stopped."""

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.enumeration import enumerated
from explainer.attribution.maskers import background, differs
from explainer.attribution.sampled.blocks import Task, Unhurried, block, pairs_of
from tests.attribution.fakes import bent, mixed_rows


def two(x):
    return np.stack([bent(x), np.tanh(bent(x)) * x[:, 0]], axis=1)


def task(rows, row):
    against = background(rows, "b")
    return Task(two, row, two(row[None])[0], against, two(against.rows))


ROW = mixed_rows(6, 7)[0]
OF = task(mixed_rows(15, 0), ROW)


def test_values_are_unbiased_and_the_variance_is_right():
    """Over 300 seeds the mean lies within its own error of enumeration, and the variance stated is the one seen."""
    truth = enumerated(two, ROW, OF.against)
    runs = [block(OF, 2, np.random.default_rng(seed)) for seed in range(300)]
    off = np.stack([run.values for run in runs]) - truth
    seen = off.std(axis=0)
    assert (np.abs(off.mean(axis=0)) <= 4 * seen / np.sqrt(300) + 1e-12).all()
    stated = np.mean([run.variance for run in runs], axis=0).sum()
    assert 0.6 < stated / (off**2).mean(axis=0).sum() < 1.7


def test_values_add_up_for_every_output():
    """Background rows with unequal numbers of players, weights and two outputs: the sum is exact in each block."""
    rows = np.concatenate([mixed_rows(15, 0), mixed_rows(2, 0), ROW[None]])
    of = task(rows, ROW)
    got = block(of, 3, np.random.default_rng(0))
    assert got.values.sum(axis=0) == pytest.approx(of.value - of.against.weights @ of.ends, abs=1e-12)


def test_few_players_are_exact():
    """Where at most three features differ all pairs are evaluated: one of two players, none of one, three of three."""
    near = np.tile(ROW, (4, 1))
    near[:, :3] += 1.0
    near[0, 0], near[1, :2] = ROW[0], ROW[:2]
    of = task(near, ROW)
    got = block(of, 3, np.random.default_rng(0))
    assert got.values == pytest.approx(enumerated(two, ROW, of.against), abs=1e-12)
    assert not got.variance.any()
    assert got.evaluations == 2 * (1 + 0 + 3)


def test_rows_like_the_background_get_nothing():
    """A background that holds only the row itself has no players: zeros without any evaluation."""
    got = block(task(ROW[None], ROW), 3, np.random.default_rng(0))
    assert not got.values.any()
    assert got.evaluations == 0


def test_it_can_be_given_up_between_portions():
    """Asked after every portion with a growing share; unfinished as soon as the answer is no, its work counted."""
    rows = mixed_rows(300, 5)
    shares = []

    class HalfWay(Unhurried):
        def in_time(self, share):
            shares.append(share)
            return share < 0.5

    of = task(rows, ROW)
    found = block(of, 16, np.random.default_rng(0), HalfWay())
    assert not found.finished
    assert 0 < found.evaluations < block(of, 16, np.random.default_rng(0)).evaluations
    assert len(shares) >= 2
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_a_round_costs_no_more_than_walks_there_and_back():
    """Evaluations of a block are at most its rounds times two walks' inner points."""
    counts = differs(ROW, OF.against.rows).sum(axis=1)
    got = block(OF, 3, np.random.default_rng(0))
    assert got.evaluations <= sum(2 * pairs_of(int(m), 3) for m in counts)


def test_smaller_portions_are_the_same_sample():
    """Laid out in parts of a hundred rows the values are the same up to rounding: only the calls differ."""

    class Hurried(Unhurried):
        def portion(self, usual):
            return 100

    asked = []
    of = task(mixed_rows(30, 5), ROW)
    counted = replace(of, game=lambda x: (asked.append(len(x)), of.game(x))[1])
    got = block(counted, 4, np.random.default_rng(0), Hurried())
    assert max(asked) <= 100
    alike = task(np.random.default_rng(1).normal(size=(30, 6)), np.ones(6))
    one, other = (block(alike, 4, np.random.default_rng(0), clock) for clock in (Hurried(), Unhurried()))
    assert one.values == pytest.approx(other.values, abs=1e-12)
    assert got.finished


class Additive:
    """A control that is an additive game, whose values are known whatever the model."""

    def __init__(self, worth):
        self.worth = worth

    def seen(self, known, roles, places):
        held = known[:, roles]
        return two(np.where(held, ROW, OF.against.rows[places]).reshape(-1, 6)).reshape(*held.shape[:2], 2)

    def values(self, places):
        return self.worth[places]

    def left(self, seen, places, held):
        total = self.worth[places].sum(axis=1)
        return seen[0] - seen[1] - (2 * held(self.worth[places]) - total)


def test_a_control_changes_the_errors_and_not_what_is_estimated():
    """With any additive control the mean over 300 seeds is enumeration's, and the sum holds in each block."""
    truth = enumerated(two, ROW, OF.against)
    differing = differs(ROW, OF.against.rows)[:, :, None]
    worth = differing * np.random.default_rng(3).normal(size=(len(OF.ends), 6, 2))
    of = replace(OF, control=Additive(worth))
    runs = [block(of, 3, np.random.default_rng(seed)) for seed in range(300)]
    off = np.stack([run.values for run in runs]) - truth
    assert (np.abs(off.mean(axis=0)) <= 4 * off.std(axis=0) / np.sqrt(300) + 1e-12).all()
    sums = np.stack([run.values.sum(axis=0) for run in runs])
    assert np.allclose(sums, of.value - of.against.weights @ of.ends, atol=1e-12)
