"""Rows of a request become one background, whatever order or form they were sent in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explainer.attribution.reference import brought, digest_of, rows_of

ROWS = arrays(np.float64, st.tuples(st.integers(1, 6), st.just(3)), elements=st.sampled_from([0.0, -0.0, 1.5, np.nan]))


@given(ROWS, st.randoms(use_true_random=False))
def test_order_and_spelling_do_not_count(rows: np.ndarray, random: object) -> None:
    """Rows in another order, or with another zero or NaN, are the same background: equal, hashable, one digest."""
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    other = np.where(np.isnan(rows), -np.nan, rows)[order] * 1.0
    other[other == 0] = -0.0
    assert brought(rows) == brought(other)
    assert hash(brought(rows)) == hash(brought(other))


@given(ROWS)
def test_the_rows_come_back_as_often_as_they_were_sent(rows: np.ndarray) -> None:
    """Nothing is lost: the coded rows are there, equal ones as often as before."""
    found = rows_of(brought(rows))
    assert found.shape == rows.shape
    assert sorted(map(str, (found + 0.0).tolist())) == sorted(map(str, (rows + 0.0).tolist()))


def test_how_often_a_row_occurs_counts() -> None:
    """A row that occurs twice weighs twice, so that is another background."""
    one, two = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    assert brought(np.concatenate([one, two])).digest != brought(np.concatenate([one, one, two])).digest


def test_the_width_is_part_of_the_digest() -> None:
    """The same bytes read as wider rows are other rows."""
    assert brought(np.ones((2, 3))).digest != brought(np.ones((3, 2))).digest
    given_rows = brought(np.ones((2, 3)))
    assert digest_of(3, given_rows.data) == given_rows.digest


def test_nothing_is_no_background() -> None:
    """No rows cannot stand for anything."""
    with pytest.raises(ValueError, match="at least one row"):
        brought(np.empty((0, 3)))
