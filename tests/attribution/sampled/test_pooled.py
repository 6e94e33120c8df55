"""What `Pooled` promises: blocks count by their rounds, and the error follows from their variances."""

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.sampled.blocks import Block
from explainer.attribution.sampled.pooled import Pooled
from explainer.attribution.uncertainty import two_sided


def of(value, variance, doubt):
    return Block(*(np.full((2, 1), x) for x in (value, variance, doubt)), evaluations=10)


def test_values_are_the_mean_by_rounds():
    """Three rounds of 1 and one of 5 are 2; evaluations add up."""
    pooled = Pooled(2, 1)
    pooled.add(of(1.0, 0.1, 0.0), 3)
    pooled.add(of(5.0, 0.1, 0.0), 1)
    assert pooled.values().tolist() == [[2.0], [2.0]]
    assert pooled.rounds == 4
    assert pooled.evaluations == 20


def test_the_error_is_that_of_a_weighted_mean():
    """Variances add with squared weights; with many degrees of freedom nothing is widened."""
    pooled = Pooled(2, 1)
    pooled.add(of(1.0, 0.16, 1e-9), 3)
    pooled.add(of(1.0, 0.48, 1e-9), 1)
    due = np.sqrt((9 * 0.16 + 0.48) / 16)
    assert pooled.standard_error(0.95) == pytest.approx(np.full((2, 1), due), rel=1e-3)


def test_few_degrees_of_freedom_widen_the_error():
    """With a doubt of the variance squared there is one degree of freedom: Student's 12.7 in place of 1.96."""
    pooled = Pooled(2, 1)
    pooled.add(of(1.0, 1.0, 1.0), 4)
    assert pooled.standard_error(0.95) == pytest.approx(np.full((2, 1), 12.7062 / two_sided(0.95)), rel=1e-4)


def test_nothing_yet_is_no_error():
    """Before the first block the error is zero, not NaN: nobody asks for a tolerance then."""
    assert not Pooled(2, 1).standard_error(0.95).any()


def test_a_block_without_error_stands_alone():
    """After an uncertain block an exact one gives its values and an error of zero; its work is still counted."""
    pooled = Pooled(2, 1)
    pooled.add(of(1.0, 0.5, 0.1), 3)
    pooled.add(of(7.0, 0.0, 0.0), 2)
    assert pooled.values() == pytest.approx(np.full((2, 1), 7.0))
    assert not pooled.standard_error(0.95).any()
    assert (pooled.rounds, pooled.evaluations) == (5, 20)


def test_an_unfinished_block_is_work_and_nothing_else():
    """Its evaluations are counted, its values are not."""
    pooled = Pooled(2, 1)
    pooled.add(of(1.0, 0.5, 0.1), 3)
    pooled.add(replace(of(9.0, 0.5, 0.1), finished=False), 4)
    assert pooled.values() == pytest.approx(np.ones((2, 1)))
    assert (pooled.rounds, pooled.evaluations) == (3, 20)
