"""Our exponential is as exact as a double can tell, everywhere, and a game of probabilities may rest on it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from explainer.attribution.trees.exponential import END, exponentials, logarithms, odds, share, squash


def exactly(x: float) -> Fraction:
    """e^x of a double to 30 digits, in whole numbers: the series at x / 1024, squared ten times."""
    scale, small = 10**60, Fraction(x) / 1024
    term, total = Fraction(1), Fraction(1)
    for n in range(1, 40):
        term = term * small / n
        term = Fraction(int(term * scale), scale)
        total += term
    for _ in range(10):
        total = total * total
        total = Fraction(int(total * scale), scale) if total > 1 else total.limit_denominator(10**80)
    return total


def test_it_is_off_by_less_than_a_part_in_ten_to_the_fifteen() -> None:
    """Against exact arithmetic on numbers of every size, and on either side of where k changes."""
    random = np.random.default_rng(0)
    halves = (np.arange(-20, 21) + 0.5) * math.log(2)
    x = np.concatenate([random.uniform(-40, 40, 60), random.normal(size=60) * 1e-6, halves, np.nextafter(halves, 9)])
    for given, found in zip(x.tolist(), exponentials(x).tolist(), strict=True):
        truth = exactly(given)
        assert abs(Fraction(found) - truth) < truth * Fraction(1, 10**15)


def test_it_agrees_with_the_library_over_the_whole_range() -> None:
    """A million numbers between the ends: within 4e-16 of numpy's, which is within one unit of the truth."""
    x = np.linspace(-END, END, 1_000_000)
    assert np.abs(exponentials(x) / np.exp(x) - 1.0).max() < 1e-15


def test_the_ends_are_held_and_nan_stays() -> None:
    """Beyond the ends the value there is kept, so that nothing is infinite or denormal; NaN is never hidden."""
    found = exponentials(np.array([1e4, END, -1e4, -END, np.inf, -np.inf, 0.0, np.nan]))
    assert found[0] == found[1] == found[4]
    assert found[2] == found[3] == found[5]
    assert np.isfinite(found[:7]).all()
    assert found[2] > 0
    assert found[6] == 1.0
    assert np.isnan(found[7])


def test_probabilities_of_either_class() -> None:
    """1 / (1 + e^-v) for one class, 1 / (1 + e^v) for the other, also where one is tiny; NaN goes through."""
    v = np.array([-800.0, -30.0, -1.0, 0.0, 2.0, 40.0, np.nan])
    one, other = np.empty(7), np.empty(7)
    squash(v, 1.0, one)
    squash(v, -1.0, other)
    assert np.allclose(one[1:6], 1 / (1 + np.exp(-v[1:6])), rtol=1e-15, atol=0)
    assert np.array_equal(other[1:3], 1 / (1 + exponentials(v[1:3])))
    assert one[0] < 1e-300
    assert np.allclose(one[:6] + other[:6], 1.0, rtol=0, atol=3e-16)
    assert np.isnan(one[6])


def test_logarithms_are_as_good_as_the_librarys() -> None:
    """From the smallest normal number to the largest, and close to one, where the logarithm is almost nothing."""
    random = np.random.default_rng(0)
    for x in (
        random.uniform(1, 40, 100_000),
        np.exp(np.linspace(-700, 700, 100_000)),
        1 + random.normal(size=999) / 1e9,
    ):
        assert (np.abs(logarithms(x) - np.log(x)) <= 1e-15 * np.maximum(1, np.abs(np.log(x)))).all()
    near = 1 + np.array([1e-9, -1e-9])
    assert np.allclose(logarithms(near), np.log(near), rtol=1e-14, atol=0)
    assert logarithms(np.array([1.0]))[0] == 0.0
    assert np.isnan(logarithms(np.array([np.nan]))[0])


def test_softmax_and_its_log_odds_are_those_of_the_definition() -> None:
    """For every class of five, margins near one another and far apart."""
    v = np.random.default_rng(1).normal(size=(5, 400)) * np.geomspace(0.01, 100, 400)
    p, found = np.empty((5, 400)), np.empty((5, 400))
    for c in range(5):
        share(v, c, p[c])
        odds(v, c, found[c])
    shifted = np.exp(v - v.max(axis=0))
    assert np.allclose(p, shifted / shifted.sum(axis=0), rtol=1e-12, atol=1e-300)
    for c in range(5):
        others = np.delete(v, c, axis=0)
        top = others.max(axis=0)
        due = v[c] - top - np.log(np.exp(others - top).sum(axis=0))
        assert np.allclose(found[c], due, rtol=1e-15, atol=1e-12)


def test_a_margin_that_is_no_number_is_not_hidden() -> None:
    """NaN in any class makes every class's answer NaN."""
    v = np.zeros((3, 2))
    v[1, 0] = np.nan
    for c in range(3):
        one, other = np.empty(2), np.empty(2)
        share(v, c, one)
        odds(v, c, other)
        assert np.isnan([one[0], other[0]]).all()
        assert np.isfinite([one[1], other[1]]).all()
