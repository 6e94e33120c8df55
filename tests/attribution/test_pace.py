"""What `pace` promises: a deadline is shared out between rows, and an answer that is late says so."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from explainer.attribution.pace import in_time
from explainer.attribution.ports import Ask, Attributions
from explainer.attribution.watch import Watch
from explainer.errors import Cancelled
from explainer.records import Notice

ASK = Ask("raw", (0,))


class FakePrepared:
    """Remembers what it was asked; row i's value is the row itself."""

    def __init__(self, notices=(), takes=0.0):
        self.asked = []
        self.notices = notices
        self.takes = takes

    def explain(self, rows, seeds, ask):
        self.asked.append((len(rows), list(seeds), ask.deadline))
        time.sleep(self.takes)
        zeros = np.zeros((len(rows), 1, 1))
        told = tuple(self.notices for _ in rows) if self.notices else ()
        return Attributions(rows[:, :, None], zeros, zeros[:, 0], zeros[:, 0], np.ones(len(rows)), False, True, told)


ROWS = np.array([[1.0], [2.0], [3.0]])


def test_without_a_deadline_rows_are_explained_together():
    """One call holds all rows."""
    fake = FakePrepared()
    in_time(fake, ROWS, [7, 8, 9], ASK, exact=False, watch=Watch())
    assert fake.asked == [(3, [7, 8, 9], None)]


def test_each_row_gets_an_equal_share_of_the_time_that_is_left():
    """Three rows of an hour: each may take a third of what is left, and answers come back in order."""
    fake = FakePrepared()
    end = time.monotonic() + 3600
    got = in_time(fake, ROWS, [7, 8, 9], replace(ASK, deadline=end), exact=False, watch=Watch())
    assert [(n, seeds) for n, seeds, _ in fake.asked] == [(1, [7]), (1, [8]), (1, [9])]
    shares = [end - deadline for _, _, deadline in fake.asked]
    assert np.allclose(shares, [2400, 1800, 0], atol=60)
    assert got.values[:, 0, 0].tolist() == [1.0, 2.0, 3.0]
    assert not any(got.notices)


def test_a_late_answer_says_so_once():
    """An answer after its deadline carries `deadline-reached`, and not a second time where the method told already."""
    past = replace(ASK, deadline=time.monotonic() - 1)
    told = in_time(FakePrepared(), ROWS, [7, 8, 9], past, exact=True, watch=Watch()).notices
    assert [[n.code for n in row] for row in told] == [["deadline-reached"]] * 3
    own = Notice("deadline-reached", "Stopped.")
    assert in_time(FakePrepared((own,)), ROWS, [7, 8, 9], past, exact=False, watch=Watch()).notices == ((own,),) * 3


def test_work_that_is_watched_is_parted_and_its_answers_keep_their_places():
    """A thousand quick rows are asked for one, then eight, then more at a time, and come back in order."""
    rows, watch, fake = np.arange(1000.0)[:, None], Watch(), FakePrepared()
    with watch.over(lambda: False):
        got = in_time(fake, rows, range(1000), ASK, exact=True, watch=watch)
    sizes = [n for n, _, _ in fake.asked]
    assert sizes[0] == 1
    assert max(b / a for a, b in pairwise(sizes)) <= 8
    assert [s for _, seeds, _ in fake.asked for s in seeds] == list(range(1000))
    assert got.values[:, 0, 0].tolist() == list(range(1000))


def test_slow_rows_are_given_up_between_them():
    """Rows of 30 ms each: the third is never begun when nobody waits after the second."""
    watch, fake = Watch(), FakePrepared(takes=0.03)
    with watch.over(lambda: len(fake.asked) == 2), pytest.raises(Cancelled):
        in_time(fake, ROWS, [7, 8, 9], ASK, exact=False, watch=watch)
    assert len(fake.asked) == 2
