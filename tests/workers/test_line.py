"""Who is next, and who is refused."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.errors import Overloaded, TooManyRequests
from explainer.records import ExplainOptions
from explainer.workers.asking import Asking, Group, Job, Task, question
from explainer.workers.line import MOST, TURNS, UNKNOWN, Line


def job(
    rows: int = 1, principal: str = "a", method: str = "auto", bulk: bool = False, deadline: int | None = None
) -> Job:
    options = ExplainOptions(method=method, deadline_ms=deadline)
    group, matrix = question("explain", options, Asking(principal, bulk), np.zeros((rows, 2)))
    return Job(matrix, group, Asking(principal, bulk), lambda _: None, patience_s=2.0)


def put(line: Line, asked: Job) -> Job:
    for place in range(len(asked.rows)):
        line.put(Task(asked.rows[place], asked.group, None, asked))
    return asked


def line(longest: int = 100, longest_of_one: int = 100) -> Line:
    return Line(longest=longest, longest_of_one=longest_of_one)


def jobs_of(tasks: list[Task]) -> list[Job]:
    return [task.job for task in tasks]


def test_rows_of_one_group_are_taken_together() -> None:
    """Whoever asked, rows of the same settings go into one call; others wait for the next."""
    waiting = line()
    first, other, second = put(waiting, job()), put(waiting, job(method="lime")), put(waiting, job(principal="b"))
    assert jobs_of(waiting.take(1)) == [first, second]
    assert jobs_of(waiting.take(1)) == [other]
    assert waiting.take(1) == []
    assert (len(waiting), waiting.questions()) == (0, 0)


def test_each_worker_has_its_part() -> None:
    """With several workers one call does not take all rows that wait."""
    waiting = line()
    put(waiting, job(8))
    assert [len(waiting.take(2)) for _ in range(4)] == [4, 2, 1, 1]


def test_a_call_is_as_long_as_is_known_to_be_quick() -> None:
    """Of a group that was never timed a few rows are taken, of a slow one a single row, of a quick one many."""
    for seconds, expected in ((None, UNKNOWN), (1.0, 1), (0.01, 5), (1e-7, MOST)):
        waiting = line()
        asked = put(waiting, job(600))
        if seconds is not None:
            waiting.costs.note(asked.group, 1, seconds)
        assert len(waiting.take(1)) == expected


def test_small_questions_go_first_and_large_ones_have_their_turn() -> None:
    """A thousand rows do not hold up single ones, and a stream of single ones does not starve them."""
    waiting = line()
    large = put(waiting, job(1000, principal="large", method="lime"))
    order = []
    for _ in range(12):
        put(waiting, job(method="auto"))
        order.append(waiting.take(1)[0].job is large)
    assert order[: TURNS[0]] == [False] * TURNS[0]
    assert order.count(True) == 2


def test_bulk_waits_behind_everybody() -> None:
    """A bulk question goes last, but is not forgotten."""
    waiting = line()
    bulk = put(waiting, job(4, bulk=True, method="lime"))
    order = []
    for _ in range(TURNS[1] + 1):
        put(waiting, job())
        order.append(waiting.take(1)[0].job is bulk)
    assert order == [False] * TURNS[1] + [True]


def test_callers_have_turns() -> None:
    """Who sends many questions does not keep another caller waiting behind all of them."""
    waiting = line()
    many = [put(waiting, job(principal="many", deadline=1000 + i)) for i in range(5)]
    one = put(waiting, job(principal="one", deadline=999))
    assert jobs_of(waiting.take(1)) == [many[0]]
    assert jobs_of(waiting.take(1)) == [one]
    assert jobs_of(waiting.take(1)) == [many[1]]


def test_a_question_with_a_deadline_keeps_to_itself() -> None:
    """Two questions with the same deadline are never one call: what is left of their time differs."""
    waiting = line()
    first, second = put(waiting, job(deadline=50)), put(waiting, job(deadline=50))
    assert [jobs_of(waiting.take(1)), jobs_of(waiting.take(1))] == [[first], [second]]


def test_a_full_line_refuses() -> None:
    """Beyond the length of the line, of all or of one principal, the next question is refused at once."""
    waiting = line(longest=3, longest_of_one=2)
    put(waiting, job()), put(waiting, job())
    with pytest.raises(TooManyRequests) as caught:
        waiting.admit(job(), 1)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
    put(waiting, job(principal="b"))
    with pytest.raises(Overloaded):
        waiting.admit(job(principal="c"), 1)
    waiting.admit(job(principal="c", bulk=True), 1)


def test_who_would_wait_too_long_is_refused_at_once() -> None:
    """From what rows took before, the wait is known; beyond a question's patience it is told when to come again."""
    waiting = line()
    slow = put(waiting, job(10))
    waiting.costs.note(slow.group, 1, 1.0)
    assert waiting.wait_s(2) == 5.0
    with pytest.raises(Overloaded, match="about 5 s") as caught:
        waiting.admit(job(principal="b"), 2)
    assert caught.value.retry_after_s == 5
    waiting.admit(job(principal="b"), 10)


def test_what_is_dropped_is_not_taken() -> None:
    """A task that was taken out of the line leaves nothing behind."""
    waiting = line()
    asked = job(3)
    tasks = [Task(row, asked.group, None, asked) for row in asked.rows]
    for task in tasks:
        waiting.put(task)
    waiting.drop(tasks[1])
    waiting.drop(tasks[1])
    assert waiting.take(1) == [tasks[0], tasks[2]]
    waiting.drop(tasks[0])
    assert (waiting.questions(), waiting._groups, waiting._waiting) == (0, {}, {})


def test_costs_are_forgotten_in_time() -> None:
    """Only the groups that were timed last are remembered."""
    costs = line().costs
    groups = [Group("explain", ExplainOptions(seed=i)) for i in range(1000)]
    for group in groups:
        costs.note(group, 2, 1.0)
    assert costs.of(groups[0]) is None
    assert costs.of(groups[-1]) == 0.5
