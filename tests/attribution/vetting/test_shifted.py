"""A background that was changed is told from one that was merely drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.vetting.shifted import ORDERS, shift
from explainer.records import FloatArray

KINDS = np.array([0, 3, 0])


def drawn(count: int, seed: int) -> FloatArray:
    random = np.random.default_rng(seed)
    rows = np.column_stack([random.lognormal(size=count), random.integers(0, 3, count), random.normal(size=count)])
    rows[random.random(count) < 0.2, 2] = np.nan
    return rows


def test_other_rows_of_the_same_kind_are_no_finding() -> None:
    """Of 40 backgrounds drawn like the reference at most one is suspicious, where one in a thousand may be."""
    assert sum(shift(drawn(100, s), drawn(45, 500 + s), KINDS).suspicious for s in range(40)) <= 1


@pytest.mark.parametrize(
    ("feature", "value"), [(0, 9.0), (1, 2.0), (2, np.nan)], ids=["number fixed", "category fixed", "number gone"]
)
def test_a_feature_that_was_fixed_is_found_and_named(feature: int, value: float) -> None:
    """One feature at one value, of whatever kind, is found, and it is that feature that is named."""
    background = drawn(100, 0)
    background[:, feature] = value
    found = shift(background, drawn(45, 1), KINDS)
    assert found.suspicious
    assert found.feature == feature
    assert found.chance == 1 / (ORDERS + 1)


def test_identical_sides() -> None:
    """The same rows on both sides, constants among them, differ by nothing."""
    rows = np.column_stack([drawn(50, 0), np.ones(50)])
    found = shift(rows, rows, np.array([0, 3, 0, 0]))
    assert found.difference < 1e-12
    assert not found.suspicious


def test_a_large_background_is_thinned() -> None:
    """20,000 rows are compared by 1,000 of them, spread over all: a change in its second half is seen."""
    background = drawn(20_000, 0)
    background[10_000:, 0] += 5
    assert shift(background, drawn(45, 1), KINDS).suspicious
