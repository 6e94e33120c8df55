"""Rows that are unlike the background are told from ordinary ones, at the rate that is stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.attribution.foreign import FEWEST, RATE, Familiar, familiar
from explainer.records import FloatArray

NAMES = ("amount", "months", "purpose", "phone")
KINDS = np.array([0, 0, 3, 2])


def ordinary(count: int, seed: int, *, missing: float = 0.0) -> FloatArray:
    """Two dependent numbers, a category and a flag; `missing` is the share of months that are not known."""
    random = np.random.default_rng(seed)
    amount = random.lognormal(size=count)
    months = np.round(12 * amount + random.normal(size=count))
    months[random.random(count) < missing] = np.nan
    return np.column_stack([amount, months, random.choice(3, count, p=(0.6, 0.3, 0.1)), random.integers(0, 2, count)])


def known(rows: FloatArray, kinds: np.ndarray = KINDS, names: tuple[str, ...] = NAMES) -> Familiar:
    found = familiar(rows, kinds, names)
    assert found is not None
    return found


def codes(at: Familiar, rows: FloatArray) -> list[list[str]]:
    return [[notice.code for notice in found] for found in at.findings(rows)]


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("size", [FEWEST, 400])
def test_ordinary_rows_are_flagged_at_the_stated_rate(size: int, missing: float) -> None:
    """Over 60 backgrounds, rows of the same kind are flagged in at most 1 % of cases, within what chance allows."""
    flagged = [
        np.mean([bool(f) for f in known(ordinary(size, s, missing=missing)).findings(ordinary(200, 1000 + s))])
        for s in range(60)
    ]
    assert np.mean(flagged) <= RATE + 3 * np.std(flagged) / np.sqrt(len(flagged))


def test_a_number_far_beyond_the_background_is_named() -> None:
    """An amount a thousand times the usual one is out of range, and its name stands in the finding."""
    row = ordinary(1, 7)
    row[0, 0] = 1000.0
    (found,) = known(ordinary(200, 0)).findings(row)
    assert {n.code for n in found} == {"foreign-row", "out-of-range"}
    assert all("amount" in n.detail and "purpose" not in n.detail for n in found)


def test_a_mixture_of_ordinary_values_is_foreign() -> None:
    """Large amounts over short terms: each within its range, together like no row of the background."""
    rows = ordinary(300, 0)
    row = np.array([[np.quantile(rows[:, 0], 0.98), rows[:, 1].min(), 0.0, 0.0]])
    assert codes(known(rows), row) == [["foreign-row"]]


@pytest.mark.parametrize("value", [1e308, -1e308, np.nan])
def test_extreme_values_are_scored(value: float) -> None:
    """Numbers at the end of what a float holds, and missing ones, overflow nothing; the first are out of range."""
    row = ordinary(1, 3)
    row[0, 1] = value
    with np.errstate(all="raise"):
        (found,) = known(ordinary(200, 0)).findings(row)
    assert ("out-of-range" in [n.code for n in found]) == np.isfinite(value)


def test_a_row_is_judged_by_itself() -> None:
    """Findings are the same in any company, and the same again: there is nothing random in them."""
    rows = np.concatenate([ordinary(30, 2), 40 * ordinary(5, 3)])
    at = known(ordinary(200, 0))
    together = at.findings(rows)
    assert together == [at.findings(row[None])[0] for row in rows]
    assert together == known(ordinary(200, 0)).findings(rows)
    assert any(together)


def test_a_small_background_says_nothing() -> None:
    """Fewer rows than the rate needs give no verdict at all; one more gives one."""
    assert familiar(ordinary(FEWEST - 1, 0), KINDS, NAMES) is None
    assert familiar(ordinary(FEWEST, 0), KINDS, NAMES) is not None


def test_constants_and_columns_without_any_value() -> None:
    """A constant column and one that is always missing set no limit; a value where there never was one counts."""
    rows = np.column_stack([np.ones(120), np.full(120, np.nan), np.arange(120.0)])
    at = known(rows, np.zeros(3, dtype=np.int64), ("one", "none", "many"))
    assert codes(at, rows[60:61]) == [[]]
    assert codes(at, np.array([[2.0, 5.0, 60.0]])) == [["foreign-row"]]


def test_values_of_the_background_never_leave() -> None:
    """A finding names features and nothing else: no value of a background row, no end of its range."""
    rows = ordinary(200, 0)
    rows[0, 0] = 7777.125
    (found,) = known(rows).findings(np.array([[1e6, 1e6, 2.0, 1.0]]))
    assert found
    assert not any("7777" in notice.detail for notice in found)


def test_categories_alone() -> None:
    """Without any number the categories decide: a combination that is never seen is foreign, a usual one is not."""
    rows = np.repeat([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], 60, axis=0)
    at = known(rows, np.array([2, 2, 2]), ("a", "b", "c"))
    assert codes(at, np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]])) == [[], ["foreign-row"]]


def test_many_rows_are_found_as_each_alone() -> None:
    """Rows measured together carry the findings, word for word, that each of them carries alone."""
    rows = np.concatenate([ordinary(700, 2, missing=0.1), 40 * ordinary(50, 3), ordinary(1, 4) * np.nan])
    at = known(ordinary(400, 0))
    alone = [at.findings(row[None])[0] for row in rows]
    assert at.findings(rows) == alone
    assert {notice.code for found in alone for notice in found} == {"foreign-row", "out-of-range"}
    assert marked(at, rows) == [[notice.code for notice in found] for found in alone]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from([0, 0, 1, 2, 5]), min_size=1, max_size=6),
    missing=st.sampled_from([0.0, 0.3]),
    scale=st.sampled_from([1e-300, 1.0, 1e12, 1e300]),
)
def test_marks_are_the_codes_of_findings(seed: int, kinds: list[int], missing: float, scale: float) -> None:
    """For any mix of numbers and categories, missing values and sizes, marks are what single rows are told."""
    random = np.random.default_rng(seed)

    def drawn(count: int, spread: float) -> FloatArray:
        columns = [random.integers(0, kind, count) if kind else scale * spread * random.normal(size=count)
                   for kind in kinds]  # fmt: skip
        rows = np.column_stack(columns).astype(np.float64)
        rows[random.random(rows.shape) < missing] = np.nan
        return rows

    at = known(drawn(150, 1.0), np.array(kinds), tuple(f"f{i}" for i in range(len(kinds))))
    rows = np.concatenate([drawn(20, 1.0), drawn(20, 4.0), drawn(5, 1e6) * np.float64(1.0)])
    assert marked(at, rows) == [codes(at, row[None])[0] for row in rows]


def test_a_row_exactly_at_the_limit_is_told_as_when_alone() -> None:
    """The background's own rows, one of which set the limit, are marked as the row-wise comparison marks them."""
    rows = ordinary(FEWEST, 5)
    at = known(rows)
    for limit in np.unique(
        [at.near, *(np.sqrt(np.sort(at._squared(*place))[:3].mean()) for place in places(at, rows))]
    ):
        exact = replace(at, near=float(limit))
        assert marked(exact, rows) == [codes(exact, row[None])[0] for row in rows]


def marked(at: Familiar, rows: FloatArray) -> list[list[str]]:
    """The codes of each row by `marks`."""
    marks = at.marks(rows)
    return [[code for code, flags in marks if flags[i]] for i in range(len(rows))]


def places(at: Familiar, rows: FloatArray) -> list[tuple[FloatArray, np.ndarray]]:
    placed = at.scale.place(rows)
    return list(zip(placed.numbers, placed.codes, strict=True))
