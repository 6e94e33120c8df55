"""What changed between two versions' explanations: against sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.records import Explanation, MethodReport
from explainer.usecases.version_changes import changes

HOW = MethodReport("exact", 1, "small", True, 1, None, "default", 0.0)
NAMES = ["a", "b"]


def told(prediction: float, *amounts: float, error: float | None = 0.0) -> Explanation:
    return Explanation(prediction, 0.0, "bad", "probability", amounts, (error,) * len(amounts), HOW)


def test_every_number_against_one_made_by_hand() -> None:
    """Predictions, flips, importances, the largest change of each feature and of each row."""
    before = [told(0.5, 0.3, 0.1), told(0.2, -0.1, 0.2)]
    after = [told(0.3, 0.1, 0.2), told(0.7, -0.3, 0.2)]
    found = changes(before, after, NAMES, ([False, False], [False, True]))
    assert (found.rows, found.mean, found.mean_absolute, found.largest) == pytest.approx((2, 0.15, 0.35, 0.5))
    assert (found.to_adverse, found.to_favourable) == (1, 0)
    a, b = found.features
    assert (a.feature, a.before, a.after, a.shift, a.moved, a.largest) == pytest.approx(("a", 0.2, 0.2, 0, 0.2, -0.2))
    assert (b.feature, b.before, b.after, b.shift, b.moved, b.largest) == pytest.approx(
        ("b", 0.15, 0.2, 0.05, 0.05, 0.1)
    )
    assert (a.rows_beyond, b.rows_beyond) == (2, 1)  # exact: any change beyond rounding is one
    assert b.half_width == pytest.approx(1.959964 * np.std([0.1, 0.0], ddof=1) / np.sqrt(2))
    assert (b.beyond, found.same_first, found.top) == (False, 0, 2)
    first, second = found.lines
    assert (first.feature, first.shift, first.flipped, first.beyond) == pytest.approx(("a", -0.2, False, True))
    assert (second.before, second.after, second.flipped) == (0.2, 0.7, True)
    assert (first.correlation, second.correlation) == (-1.0, 1.0)


def test_a_change_within_the_combined_error_is_none() -> None:
    """Two errors of 0.1 make one of 0.141; a change counts beyond 1.96 of that."""
    before, after = told(0.5, 0.0, 0.0, error=0.1), told(0.5, 0.27, 0.28, error=0.1)
    near, far = sorted(changes([before], [after], NAMES, None).features, key=lambda f: f.feature)
    assert (near.rows_beyond, far.rows_beyond) == (0, 1)
    assert near.beyond is None  # of one row no error of a mean is known
    (line,) = changes([before], [after], NAMES, None).lines
    assert (line.feature, line.beyond, line.flipped) == ("b", True, None)
    assert line.half_width == pytest.approx(1.959964 * 0.1 * np.sqrt(2))


def test_an_unknown_error_proves_nothing() -> None:
    """Where one side's error is not known, no change counts as one."""
    before, after = told(0.5, 0.0, 0.0, error=None), told(0.5, 9.0, 9.0)
    found = changes([before] * 3, [after] * 3, NAMES, None)
    assert [(f.rows_beyond, f.beyond, f.half_width) for f in found.features] == [(0, None, None)] * 2
    assert {line.beyond for line in found.lines} == {None}
    assert found.to_adverse is None


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=9))
def test_a_version_differs_from_itself_in_nothing(rows: list[tuple[float, float]]) -> None:
    """No change, no flip, the same first reason everywhere."""
    given_rows = [told(sum(amounts), *amounts) for amounts in rows]
    found = changes(given_rows, given_rows, NAMES, ([True] * len(rows), [True] * len(rows)))
    assert (found.mean_absolute, found.to_adverse, found.to_favourable) == (0, 0, 0)
    assert found.same_first == len(rows)
    assert all(f.moved == f.rows_beyond == f.shift == 0 for f in found.features)


@given(st.lists(st.tuples(*[st.floats(-1, 1)] * 4), min_size=2, max_size=9))
def test_the_way_back_is_the_way_there_with_its_sign_changed(rows: list[tuple[float, float, float, float]]) -> None:
    """Before and after exchanged: shifts change sign, sizes and counts stay."""
    before = [told(r[0], r[0], r[1]) for r in rows]
    after = [told(r[2], r[2], r[3]) for r in rows]
    there, back = changes(before, after, NAMES, None), changes(after, before, NAMES, None)
    assert back.mean == pytest.approx(-there.mean)
    assert back.mean_absolute == there.mean_absolute
    forth = {f.feature: f for f in there.features}
    for f in back.features:
        same = forth[f.feature]
        assert (f.shift, f.moved, f.rows_beyond) == pytest.approx((-same.shift, same.moved, same.rows_beyond))
