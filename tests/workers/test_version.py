"""The pool of one version: who is asked, who waits, and who is replaced."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from explainer.errors import ModelFailed, ModelRefused, NotReady, Overloaded
from explainer.records import ExplainOptions, LoadOrder
from explainer.settings import Settings
from explainer.workers.asking import Asking, Job
from explainer.workers.client import Worker
from explainer.workers.frames import Frame, FrameError
from explainer.workers.version import VersionPool, understood
from tests.workers import fake_models
from tests.workers.fakes import order_of, row, thread_worker


class Counted(Worker):
    """A worker that notes that it was asked."""

    asked: ClassVar[set[int]] = set()

    def put(self, question: Frame, deadline: float) -> None:
        self.asked.add(self.number)
        super().put(question, deadline)


SETTINGS = Settings(worker_timeout_s=5, queue_timeout_s=5, workers_per_model=1)


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
    """Many rows go to all workers, and the answers stand in the order of the rows."""
    pool = VersionPool(order_of(), replace(SETTINGS, workers_per_model=3), lambda: thread_worker(Counted))
    pool.open()
    while pool.state().alive < 3:
        pass
    Counted.asked.clear()
    rows = np.column_stack([np.full(12, float(fake_models.SLOW)), np.linspace(0.05, 0.16, 12)])
    found = pool.explain(rows, ExplainOptions())
    assert [explanation.prediction for (explanation,) in found] == [2 * x for x in rows[:, 1]]
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


def test_a_job_that_nobody_waits_for_is_stopped() -> None:
    """A question whose asker has gone is given up inside the worker, which lives on and answers the next one."""
    pool = VersionPool(order_of(), SETTINGS, thread_worker)
    pool.open()
    told: list[Job] = []
    job = pool.submit("explain", row(fake_models.PATIENT, 30.0), ExplainOptions(), Asking(), told.append)
    while pool.state().busy == 0:
        pass
    pool.cancel(job)
    assert pool.predict(row(fake_models.GOOD)).tolist() == [[6.0]]
    assert (told, pool.state().restarts) == ([], 0)
    pool.close()


def test_what_cannot_be_read_ends_its_worker() -> None:
    """An answer that is no answer fails the caller, and the worker that gave it is replaced."""
    pool = VersionPool(order_of(), SETTINGS, thread_worker)
    pool.open()

    def unreadable(frame: Frame) -> None:
        raise FrameError("it holds nonsense")

    done = threading.Event()
    job = pool.submit("predict", row(fake_models.GOOD), None, Asking(), lambda _: done.set())
    assert done.wait(5)
    with pytest.raises(ModelFailed, match="it holds nonsense"):
        understood(job, unreadable)
    assert pool.predict(row(fake_models.GOOD)).tolist() == [[6.0]]
    assert pool.state().restarts == 1
    pool.close()


def test_one_caller_s_row_fails_nobody_else() -> None:
    """Rows of two callers that were evaluated in one call are tried apart when the call fails."""
    pool = VersionPool(order_of(), SETTINGS, thread_worker)
    pool.open()
    ended = threading.Barrier(3)
    busy = threading.Thread(target=lambda: pool.predict(row(fake_models.SLOW, 0.3)))
    busy.start()
    while pool.state().busy == 0:
        pass
    found: list[object] = []

    def ask(deed: int) -> None:
        try:
            found.append(pool.predict(row(deed)).tolist())
        except ModelFailed as error:
            found.append(type(error))
        ended.wait()

    for deed in (fake_models.GOOD, fake_models.RAISE):
        threading.Thread(target=ask, args=(deed,)).start()
    ended.wait()
    busy.join()
    pool.close()
    assert sorted(map(str, found)) == sorted([str(ModelFailed), "[[6.0]]"])


def test_a_worker_that_grew_is_replaced_without_a_gap() -> None:
    """Beyond the size that is set a worker is replaced by a new one, and no question fails meanwhile."""
    pool = VersionPool(order_of(), replace(SETTINGS, worker_recycle_mb=1), lambda: with_pid(thread_worker()))
    pool.open()
    for _ in range(200):
        assert pool.predict(row(fake_models.GOOD)).tolist() == [[6.0]]
        if pool.state().restarts:
            break
        time.sleep(0.05)
    state = pool.state()
    assert state.restarts > 0
    assert state.last_failure is None
    pool.close()


def test_there_are_more_workers_when_questions_wait() -> None:
    """Left to itself a version has one worker, gets more while rows wait, and lets go of them when it is quiet."""
    pool = VersionPool(order_of(), replace(SETTINGS, workers_per_model=0, worker_idle_s=0.3), thread_worker)
    pool.open()
    assert pool.state().wanted == 1
    threads = [threading.Thread(target=lambda: pool.predict(row(fake_models.SLOW, 0.2))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cores = len(os.sched_getaffinity(0))
    assert pool.state().alive == 1 if cores == 1 else 2 <= pool.state().alive <= cores
    until = time.monotonic() + 10
    while pool.state().alive > 1:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert (pool.state().wanted, pool.state().restarts) == (1, 0)
    assert pool.predict(row(fake_models.GOOD)).tolist() == [[6.0]]
    pool.close()


def with_pid(worker: Worker) -> Worker:
    worker.pid = os.getpid()
    return worker
