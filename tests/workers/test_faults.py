"""Whatever a model does, it costs its own call at most: the next one is answered, and other versions never notice."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from explainer.errors import ExplainerError, ModelFailed, NotReady, WorkerDied, WorkerTimedOut
from explainer.records import ExplainOptions, LoadOrder
from explainer.settings import Settings
from explainer.workers.pool import WorkerPools
from tests.workers import fake_models as fake
from tests.workers.fakes import order_of, row
from tests.workers.processes import children_of, lives, open_files, state_of, until


@contextlib.contextmanager
def served(pools: WorkerPools, *orders: LoadOrder) -> Iterator[list[str]]:
    for order in orders:
        pools.open(order)
    try:
        yield [order.digest for order in orders]
    finally:
        for order in orders:
            pools.close(order.digest)


def pid_of(pools: WorkerPools, digest: str) -> int:
    return int(pools.predict(digest, row(fake.PID))[0, 0])


def end(pid: int) -> None:
    """Kill a process as an outsider would, and wait until it is dead."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: not lives(pid))


FAULTS = [
    (fake.RAISE, ModelFailed),
    (fake.NAN, ModelFailed),
    (fake.SHAPE, ModelFailed),
    (fake.GARBAGE, ModelFailed),
    (fake.MEMORY, ModelFailed),
    (fake.EXIT, WorkerDied),
    (fake.SYSEXIT, WorkerDied),
    (fake.ABORT, WorkerDied),
    (fake.CRASH, WorkerDied),
    (fake.CLOSE, WorkerDied),
    (fake.HANG, WorkerTimedOut),
]


@pytest.mark.parametrize(("deed", "kind"), FAULTS)
def test_a_fault_costs_one_call(pools: WorkerPools, deed: int, kind: type[ExplainerError]) -> None:
    """Each fault gives its own error; the next call is answered, and another version keeps its process."""
    with served(pools, order_of(), order_of()) as (bad, other):
        neighbour = pid_of(pools, other)
        with pytest.raises(ExplainerError) as caught:
            pools.predict(bad, row(deed))
        assert type(caught.value) is kind
        assert pools.predict(bad, row(fake.GOOD)).tolist() == [[6.0]]
        assert pid_of(pools, other) == neighbour


def test_megabytes_of_output_cost_nothing(pools: WorkerPools) -> None:
    """A model that prints 50 MB answers rightly, from the same process as before."""
    with served(pools, order_of()) as (digest,):
        pid = pid_of(pools, digest)
        assert pools.predict(digest, row(fake.PRINT)).tolist() == [[6.0]]
        assert pid_of(pools, digest) == pid


def test_a_worker_killed_at_work_is_replaced(pools: WorkerPools) -> None:
    """kill -9 in mid-call fails that call with the signal's name; the next is answered by another process."""
    with served(pools, order_of()) as (digest,):
        pid = pid_of(pools, digest)
        threading.Timer(0.1, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(WorkerDied, match="SIGKILL"):
            pools.predict(digest, row(fake.SLOW, 1.0))
        assert pid_of(pools, digest) != pid
        assert pools.state()[digest].restarts == 1


def test_a_worker_killed_while_idle_costs_no_call(pools: WorkerPools) -> None:
    """kill -9 of an idle worker is noticed before the next question is put to it."""
    with served(pools, order_of()) as (digest,):
        for _ in range(8):
            end(pid_of(pools, digest))
            assert pools.predict(digest, row(fake.GOOD)).tolist() == [[6.0]]
        assert pools.state()[digest].out_of_service is None


def test_a_stopped_worker_is_a_hanging_one(pools: WorkerPools) -> None:
    """A process that was stopped by a signal is killed when its time is over, and replaced."""
    with served(pools, order_of()) as (digest,):
        pid = pid_of(pools, digest)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(WorkerTimedOut):
            pools.predict(digest, row(fake.GOOD))
        assert pools.predict(digest, row(fake.GOOD)).tolist() == [[6.0]]
        until(lambda: not lives(pid))


def test_the_nursery_may_be_killed(pools: WorkerPools) -> None:
    """kill -9 of the nursery, of its spare, and of both: versions answer again, and it does not speak against them."""
    with served(pools, order_of(), order_of()) as digests:
        for victims in (slice(0, 1), slice(1, 2), slice(0, 2)):
            until(lambda: len(pools.processes()) == 2)
            workers = [pid_of(pools, digest) for digest in digests]
            main = pools.processes()[0]
            for pid in pools.processes()[victims]:
                end(pid)
            until(lambda w=workers, m=main: lives(m) or not any(map(lives, w)))  # type: ignore[misc]
            for digest in digests:
                assert pools.predict(digest, row(fake.GOOD)).tolist() == [[6.0]]
        assert all(pools.state()[digest].out_of_service is None for digest in digests)


def test_a_version_that_keeps_dying_is_taken_out(pools: WorkerPools) -> None:
    """After five deaths within a minute callers get NotReady at once, with the reason; another version is served."""
    with served(pools, order_of(), order_of()) as (bad, good):
        for _ in range(5):
            with pytest.raises(WorkerDied):
                pools.predict(bad, row(fake.EXIT))
        with pytest.raises(NotReady, match=r"5 times within a minute.*exit status 3"):
            pools.predict(bad, row(fake.GOOD))
        assert "exit status 3" in str(pools.state()[bad].out_of_service)
        assert pools.predict(good, row(fake.GOOD)).tolist() == [[6.0]]


def test_a_version_that_no_longer_opens_is_reported(pools: WorkerPools, tmp_path: Path) -> None:
    """A replacement is opened anew; when that fails the state says why, and once it can be opened it serves again."""
    file = tmp_path / "model"
    file.write_bytes(b"whole")
    with served(pools, order_of("flaky", file)) as (digest,):
        file.write_bytes(b"broken")
        end(pid_of(pools, digest))
        until(lambda: "opened again" in str(pools.state()[digest].last_failure))
        file.write_bytes(b"whole")
        assert pools.predict(digest, row(fake.GOOD)).tolist() == [[6.0]]


def test_kills_leave_nothing_behind(pools: WorkerPools) -> None:
    """After 18 kills no process is left, no zombie, and no file is open more than before, here and in the nursery."""
    with served(pools, order_of()) as (digest,):
        until(lambda: len(pools.processes()) == 2)
        nursery = pools.processes()[0]
        pids = [pid_of(pools, digest)]
        until(lambda: len(children_of(nursery)) == 2)  # the worker and the spare
        before = open_files(), open_files(nursery)
        for _ in range(18):  # below what takes a version out of service
            end(pids[-1])
            pids.append(pid_of(pools, digest))
        until(lambda: all(state_of(pid) is None for pid in pids[:-1]))
        until(lambda: len(children_of(nursery)) == 2)
        until(lambda: open_files() <= before[0] and open_files(nursery) <= before[1])
        assert pools.processes()[0] == nursery


def test_what_a_worker_starts_ends_with_it(open_pools: WorkerPools, tmp_path: Path) -> None:
    """Where nothing forbids a fork, children that a model leaves behind are killed with it, detached ones too."""
    note = tmp_path / "pids"
    with served(open_pools, order_of(path=note)) as (digest,):
        worker = pid_of(open_pools, digest)
        assert open_pools.predict(digest, row(fake.LINGER)).tolist() == [[6.0]]
        left = [int(line) for line in note.read_text().split()]
        assert len(left) == 2
        assert all(map(lives, left))
        end(worker)
        until(lambda: not any(map(lives, left)))
        assert open_pools.predict(digest, row(fake.GOOD)).tolist() == [[6.0]]


def test_a_doubled_worker_gives_no_wrong_answer(open_pools: WorkerPools) -> None:
    """When a model forks and both processes answer, no later question gets the answer to an earlier one."""
    with served(open_pools, order_of()) as (digest,):
        assert open_pools.predict(digest, row(fake.TWIN)).tolist() == [[6.0]]
        for value in range(50):
            with contextlib.suppress(ModelFailed):
                assert open_pools.predict(digest, row(fake.GOOD, value)).tolist() == [[2.0 * value]]
        assert open_pools.predict(digest, row(fake.GOOD)).tolist() == [[6.0]]


def test_many_callers_and_a_killer(pools: WorkerPools) -> None:
    """Eight threads ask while workers are killed: every answer is the right one, every other outcome a clear error."""
    wrong: list[object] = []
    answered: list[float] = []
    over = threading.Event()

    def ask(digest: str, thread: int) -> None:
        for value in map(float, range(1000 * thread, 1000 * thread + 60)):
            with contextlib.suppress(WorkerDied, NotReady):
                ((found,),) = pools.explain(digest, row(fake.GOOD, value), ExplainOptions())
                (answered if found.prediction == 2 * value else wrong).append(value)

    def kill(nursery: int, spared: list[int]) -> None:
        while not over.wait(0.03):
            for pid in set(children_of(nursery)).difference(spared):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    until(lambda: len(pools.processes()) == 2)
    with served(pools, order_of(), order_of()) as digests:
        threads = [threading.Thread(target=ask, args=(digests[t % 2], t)) for t in range(8)]
        killer = threading.Thread(target=kill, args=(pools.processes()[0], pools.processes()))
        for thread in [*threads, killer]:
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        killer.join()
    assert wrong == []
    assert answered


def test_libraries_with_threads_do_not_hang_in_a_worker() -> None:
    """HistGradientBoosting, xgboost and lightgbm train and predict in closed-in forks of the real nursery, twice."""
    pools = WorkerPools(Settings(), opener="tests.workers.fake_preloaded:open_fake")
    try:
        with served(pools, order_of(), order_of()) as digests:
            for digest in [*digests, *digests]:
                assert pools.predict(digest, row(fake.LIBRARIES)).tolist() == [[6.0]]
    finally:
        pools.shutdown()


def test_shared_work_survives_a_death(pools: WorkerPools) -> None:
    """When the only worker dies in an explain of many rows, the call fails as one, and the next is answered whole."""
    with served(pools, order_of()) as (digest,):
        rows = np.vstack([row(fake.EXIT), row(fake.GOOD)])
        with pytest.raises(WorkerDied):
            pools.explain(digest, rows, ExplainOptions())
        assert len(pools.explain(digest, rows[1:], ExplainOptions())) == 1
