"""The pool of one version: who is asked, who waits, and who is replaced."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from explainer.errors import ModelFailed, ModelRefused, NotReady, Overloaded
from explainer.records import ExplainOptions, LoadOrder
from explainer.settings import Settings
from explainer.workers.client import Worker
from explainer.workers.frames import Frame
from explainer.workers.version import VersionPool
from tests.workers import fake_models
from tests.workers.fakes import order_of, row, thread_worker


class Counted(Worker):
    """A worker that notes that it was asked."""

    asked: ClassVar[set[int]] = set()

    def put(self, question: Frame, deadline: float) -> None:
        self.asked.add(self.number)
        super().put(question, deadline)


SETTINGS = Settings(worker_timeout_s=5, queue_timeout_s=5)


def test_it_predicts_and_explains() -> None:
    """An opened version answers both, and no rows need no worker."""
    pool = VersionPool(order_of(), SETTINGS, thread_worker)
    assert pool.open() == fake_models.REPORT
    assert pool.predict(row(fake_models.GOOD, 2.0)).tolist() == [[4.0]]
    assert pool.explain(row(fake_models.GOOD, 2.0), ExplainOptions())[0][0].prediction == 4.0
    assert pool.explain(np.empty((0, 2)), ExplainOptions()) == []
    pool.close()


def test_a_version_that_does_not_open_is_refused() -> None:
    """The first worker's refusal is raised with its problems, and the pool reports nothing."""
    pool = VersionPool(order_of("refused"), SETTINGS, thread_worker)
    with pytest.raises(ModelRefused) as caught:
        pool.open()
    assert len(caught.value.problems) == 2
    with pytest.raises(NotReady):
        _ = pool.report


def test_a_worker_that_ends_is_replaced() -> None:
    """When an idle worker ends, another one is opened and the next question is answered."""
    workers: list[Worker] = []

    def fork() -> Worker:
        workers.append(thread_worker())
        return workers[-1]

    pool = VersionPool(order_of(), SETTINGS, fork)
    pool.open()
    for _ in range(3):
        workers[-1].kill()
        assert pool.predict(row(fake_models.GOOD)).tolist() == [[6.0]]
    state = pool.state()
    assert (state.alive, state.restarts, state.out_of_service) == (1, 3, None)
    pool.close()


def test_a_version_whose_files_changed_is_not_opened_again() -> None:
    """Each later worker gets an order that was checked anew; a refusal takes the version out of service at once."""
    workers: list[Worker] = []
    sound = threading.Event()
    sound.set()

    def fork() -> Worker:
        workers.append(thread_worker())
        return workers[-1]

    def again() -> LoadOrder:
        if not sound.is_set():
            raise ModelRefused("model.txt is not the file that was registered.")
        return order_of()

    pool = VersionPool(order_of(), SETTINGS, fork, again)
    pool.open()
    workers[-1].kill()
    assert pool.predict(row(fake_models.GOOD)).tolist() == [[6.0]]
    sound.clear()
    workers[-1].kill()
    with pytest.raises(NotReady, match=r"model\.txt is not the file"):
        pool.predict(row(fake_models.GOOD))
    pool.close()


def test_who_waits_too_long_is_told() -> None:
    """While the only worker is busy a second caller gets Overloaded, by the shorter of queue time and deadline."""
    pool = VersionPool(order_of(), replace(SETTINGS, queue_timeout_s=0.05), thread_worker)
    pool.open()
    busy = threading.Thread(target=lambda: pool.predict(row(fake_models.SLOW, 0.8)))
    busy.start()
    while pool.state().busy == 0:
        pass
    with pytest.raises(Overloaded, match=r"0\.05 s"):
        pool.predict(row(fake_models.GOOD))
    with pytest.raises(Overloaded, match=r"0\.01 s"):
        pool.explain(row(fake_models.GOOD), ExplainOptions(deadline_ms=10))
    busy.join()
    assert pool.predict(row(fake_models.GOOD)).tolist() == [[6.0]]
    pool.close()


def test_rows_are_shared_out_in_order() -> None:
    """Many rows go to all idle workers, and the answers stand in the order of the rows."""
    pool = VersionPool(order_of(), replace(SETTINGS, workers_per_model=3), lambda: thread_worker(Counted))
    pool.open()
    while pool.state().alive < 3:
        pass
    Counted.asked.clear()
    rows = np.column_stack([np.zeros(7), np.arange(7.0)])
    found = pool.explain(rows, ExplainOptions())
    assert [explanation.prediction for (explanation,) in found] == [2 * x for x in range(7)]
    assert len(Counted.asked) == 3
    pool.close()


def test_one_bad_part_fails_the_call_only() -> None:
    """When one worker's part fails the call fails, and all workers serve the next call."""
    pool = VersionPool(order_of(), replace(SETTINGS, workers_per_model=2), thread_worker)
    pool.open()
    while pool.state().alive < 2:
        pass
    with pytest.raises(ModelFailed, match="ValueError"):
        pool.explain(np.vstack([row(fake_models.GOOD), row(fake_models.RAISE)]), ExplainOptions())
    rows = np.column_stack([np.zeros(4), np.arange(4.0)])
    assert [e.prediction for (e,) in pool.explain(rows, ExplainOptions())] == [0, 2, 4, 6]
    assert pool.state().alive == 2
    pool.close()


def test_a_closed_version_is_not_ready() -> None:
    """After closing, callers are told so, waiting ones too."""
    pool = VersionPool(order_of(), SETTINGS, thread_worker)
    pool.open()
    errors: list[Exception] = []

    def ask(deed: int, value: float) -> None:
        try:
            pool.predict(row(deed, value))
        except NotReady as error:
            errors.append(error)

    busy = threading.Thread(target=ask, args=(fake_models.SLOW, 0.5))
    busy.start()
    while pool.state().busy == 0:
        pass
    waiting = threading.Thread(target=ask, args=(fake_models.GOOD, 1))
    waiting.start()
    pool.close()
    waiting.join()
    busy.join()
    assert len(errors) == 1
    with pytest.raises(NotReady):
        pool.predict(row(fake_models.GOOD))


def test_nobody_is_passed_over_while_a_worker_is_free() -> None:
    """Eight askers that come again and again to one worker are all served: no wake-up goes to somebody else."""
    pool = VersionPool(order_of(), replace(SETTINGS, queue_timeout_s=1.5), thread_worker)
    pool.open()
    failed: list[Exception] = []

    def ask() -> None:
        try:
            for _ in range(60):
                pool.predict(row(fake_models.GOOD, 2.0))
        except Overloaded as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert failed == []


def test_who_came_first_is_served_first() -> None:
    """While somebody waits, whoever comes later does not overtake."""
    pool = VersionPool(order_of(), SETTINGS, thread_worker)
    pool.open()
    served: list[int] = []
    with pool._workers(1):
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=lambda n=number: _served(pool, served, n)))
            threads[-1].start()
            while pool.waiting() <= number:
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    pool.close()
    assert served == [0, 1, 2, 3, 4]


def _served(pool: VersionPool, served: list[int], number: int) -> None:
    with pool._workers(1):
        served.append(number)
