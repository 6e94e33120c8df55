"""Budgets: exact, durable, shared, and closed when in doubt."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from explainer.access.budgets import NO_LIMITS, USUAL, Budgets, Charge, Left, Limits, header_fields
from explainer.durable import DurableFile
from explainer.errors import BudgetExhausted, InvalidOption, NotFound, StorageFailed
from explainer.ledger.layout import open_file
from explainer.records import Principal

KEY = Principal("key_abc", "key", "application")
NOON = 1_700_049_600.0  # the first second of a minute


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def opened(folder: Path, clock: Any = None) -> Budgets:
    return Budgets(DurableFile(folder / "controls.db", ""), open_file(folder / "ledger.db"), clock=clock or Clock())


def rows(*names: str) -> list[bytes]:
    return [name.encode() for name in names]


def test_a_minute_ends_and_a_version_does_not(tmp_path: Path) -> None:
    """What is used up in a minute comes back with the next; what a version allows never does."""
    clock = Clock()
    budgets = opened(tmp_path, clock)
    budgets.set("application", "*", Limits(rows_minute=2, rows_version=5), "tests")
    left = budgets.charge(KEY, "credit", "d", rows("a", "b"))
    assert left is not None
    assert (left.name, left.remaining, left.reset_s) == ("rows_minute", 0, 60)
    with pytest.raises(BudgetExhausted) as refused:
        budgets.charge(KEY, "credit", "d", rows("a"))
    assert (refused.value.retry_after_s, refused.value.left["RateLimit-Remaining"]) == (60, "0")
    clock.now += 60
    budgets.charge(KEY, "credit", "d", rows("a", "b"))
    clock.now += 86_400
    with pytest.raises(BudgetExhausted, match="version of the model"):
        budgets.charge(KEY, "credit", "d", rows("a", "b"))
    budgets.charge(KEY, "credit", "d", rows("a"))  # what was refused was not counted
    budgets.charge(KEY, "credit", "another version", rows("a", "b"))


def test_a_row_that_was_met_is_not_distinct(tmp_path: Path) -> None:
    """The same row costs once on a version and once a day; a new one is refused when distinct rows are used up."""
    clock = Clock()
    budgets = opened(tmp_path, clock)
    budgets.set("application", "*", Limits(distinct_version=2, distinct_day=2), "tests")
    for _ in range(5):
        budgets.charge(KEY, "credit", "d", rows("a", "b", "a"))
    clock.now += 86_400
    budgets.charge(KEY, "credit", "d", rows("a", "b"))
    with pytest.raises(BudgetExhausted, match="2 distinct rows"):
        budgets.charge(KEY, "credit", "d", rows("c"))


def test_evaluations_are_counted_when_they_are_known(tmp_path: Path) -> None:
    """A request is admitted while anything is left, so that the last one may take more than that."""
    budgets = opened(tmp_path)
    budgets.set("key_abc", "credit", Limits(evaluations_day=100), "tests")
    budgets.charge(KEY, "credit", "d", rows("a"))
    count = budgets.spend(KEY, "credit", "d", 150)
    assert count is not None
    budgets._records.write(count)
    with pytest.raises(BudgetExhausted, match="evaluations"):
        budgets.charge(KEY, "credit", "d", rows("a"))


def test_a_clock_that_was_set_back_gives_nothing_back(tmp_path: Path) -> None:
    """The minute that was reached stays the minute that it is."""
    clock = Clock()
    budgets = opened(tmp_path, clock)
    budgets.set("application", "*", Limits(rows_minute=1), "tests")
    budgets.charge(KEY, "credit", "d", rows("a"))
    clock.now -= 3600
    with pytest.raises(BudgetExhausted):
        budgets.charge(KEY, "credit", "d", rows("a"))


def _many(folder: Path, times: int) -> int:
    budgets, admitted = opened(folder), 0
    for i in range(times):
        try:
            budgets.charge(KEY, "credit", "d", rows(str(i)))
            admitted += 1
        except BudgetExhausted:
            continue
    return admitted


def test_processes_share_one_count_to_the_row(tmp_path: Path) -> None:
    """Three processes that ask for 120 rows together are given the 50 that there are, not one more or less."""
    opened(tmp_path).set("application", "*", Limits(rows_day=50), "tests")
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert sum(pool.starmap(_many, [(tmp_path, 40)] * 3)) == 50


def test_a_lease_pays_for_known_rows_and_is_given_back(tmp_path: Path) -> None:
    """Rows answered again are paid in advance while plenty is left; what a minute left over is not lost to the day."""
    clock = Clock()
    budgets = opened(tmp_path, clock)
    budgets.set("application", "*", Limits(rows_day=1000), "tests")

    def again(*names: str) -> Left | None:
        paid = budgets.again(KEY, "credit", "d", rows(*names))
        if isinstance(paid, Charge):
            budgets._records.write(paid)
            budgets.settle(paid)
            return paid.left
        return paid

    remaining = []
    for _ in range(10):
        left = again("a")
        assert left is not None
        remaining.append(left.remaining)
    assert remaining == list(range(999, 989, -1))
    inside = budgets.left(KEY, "credit", "d")
    assert inside is not None
    assert inside.remaining == 1000 - 1 - 32
    clock.now += 60
    left = again("a")  # 23 rows of the lease were left over: 11 are spent, and 32 ahead
    assert left is not None
    inside = budgets.left(KEY, "credit", "d")
    assert inside is not None
    assert (left.remaining, inside.remaining) == (989, 989 - 32)
    assert isinstance(budgets.again(KEY, "credit", "d", rows("b")), Charge)  # not met: no lease pays for it


def test_near_the_end_every_row_is_charged_by_itself(tmp_path: Path) -> None:
    """With fewer than ten leases left nothing is taken in advance, and the last row is the last row."""
    budgets = opened(tmp_path)
    budgets.set("application", "*", Limits(rows_day=300), "tests")
    for _ in range(300):
        paid = budgets.again(KEY, "credit", "d", rows("a"))
        assert isinstance(paid, Charge)
        budgets._records.write(paid)
        budgets.settle(paid)
    over = budgets.again(KEY, "credit", "d", rows("a"))
    assert isinstance(over, Charge)
    with pytest.raises(BudgetExhausted):
        budgets._records.write(over)


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """Counts and limits are read from the file."""
    first = opened(tmp_path)
    first.set("application", "credit", Limits(rows_day=3), "tests")
    first.charge(KEY, "credit", "d", rows("a", "b"))
    left = opened(tmp_path).left(KEY, "credit", "d")
    assert left is not None
    assert (left.limit, left.remaining) == (3, 1)


def test_it_fails_closed(tmp_path: Path) -> None:
    """A count that cannot be written admits nobody."""
    budgets = opened(tmp_path)
    budgets._records.close()
    with pytest.raises(StorageFailed):
        budgets.charge(KEY, "credit", "d", rows("a"))


def test_the_nearest_limits_hold(tmp_path: Path) -> None:
    """A principal's own before its role's, a model's before those for every model; no limits are a choice as well."""
    budgets = opened(tmp_path)
    assert budgets.limits(KEY, "credit") == USUAL["application"]
    assert budgets.limits(Principal("key_x", "key", "analyst"), "credit") == NO_LIMITS
    for n, (whom, model) in enumerate(
        [("application", "*"), ("application", "credit"), ("key_abc", "*"), ("key_abc", "credit")]
    ):
        budgets.set(whom, model, Limits(rows_day=n), "tests")
        assert budgets.limits(KEY, "credit").rows_day == n
    assert budgets.limits(Principal("local:me", "local", "local"), "credit") == NO_LIMITS
    budgets.set("key_abc", "credit", NO_LIMITS, "tests")
    assert budgets.charge(KEY, "credit", "d", rows("a")) is None
    budgets.unset("key_abc", "credit")
    assert budgets.limits(KEY, "credit").rows_day == 2
    with pytest.raises(NotFound):
        budgets.unset("key_abc", "credit")


@pytest.mark.parametrize(("whom", "model", "limit"), [("", "*", 1), ("x\n", "*", 1), ("x", "A b", 1), ("x", "*", -1)])
def test_what_is_no_budget_is_refused(tmp_path: Path, whom: str, model: str, limit: int) -> None:
    """Names and numbers that cannot be are named."""
    with pytest.raises(InvalidOption):
        opened(tmp_path).set(whom, model, Limits(rows_day=limit), "tests")


def test_headers_tell_the_nearest_end(tmp_path: Path) -> None:
    """The budget of which the smallest share is left is told."""
    budgets = opened(tmp_path)
    budgets.set("application", "*", Limits(rows_minute=10, rows_day=12), "tests")
    left = budgets.charge(KEY, "credit", "d", rows("a", "b", "c"))
    assert left is not None
    assert header_fields(left) == {
        "RateLimit-Policy": '10;w=60;comment="rows_minute"',
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "7",
        "RateLimit-Reset": "60",
    }
