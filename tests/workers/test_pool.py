"""The door of the room: open, try, ask, look, close, and leave nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from explainer.errors import ModelFailed, ModelRefused, NotReady, WorkerDied
from explainer.records import ExplainOptions
from explainer.settings import Settings
from explainer.workers.pool import WorkerPools
from tests.workers import fake_models as fake
from tests.workers.fakes import OPENER, order_of, row
from tests.workers.processes import children_of, lives, until

HEAVY = ("scipy", "pandas", "sklearn", "numba", "shap", "lime", "joblib", "skops", "xgboost", "lightgbm", "catboost")


def test_the_web_process_loads_no_heavy_library() -> None:
    """Importing the door, and opening it, loads none of the libraries that models and explanations need."""
    code = (
        "import sys; from explainer.workers.pool import WorkerPools; from explainer.settings import Settings; "
        f"WorkerPools(Settings()); print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_version_is_opened_asked_and_closed(pools: WorkerPools) -> None:
    """What is opened is reported, predicts, explains, and is gone after it was closed."""
    order = order_of()
    assert pools.open(order) == fake.REPORT
    assert pools.report(order.digest) == fake.REPORT
    assert pools.predict(order.digest, row(fake.GOOD, 2.5)).tolist() == [[5.0]]
    ((explanation,),) = pools.explain(order.digest, row(fake.GOOD, 2.5), ExplainOptions())
    assert explanation.prediction == 5.0
    assert explanation.standard_errors == (0.0, None)
    assert pools.state()[order.digest].alive == 1
    pools.close(order.digest)
    assert order.digest not in pools.state()
    for ask in (pools.report, lambda digest: pools.predict(digest, row(fake.GOOD))):
        with pytest.raises(NotReady):
            ask(order.digest)


def test_interactions_come_from_the_worker(pools: WorkerPools) -> None:
    """The door hands rows on and matrices back; what the model raises is raised here."""
    order = order_of()
    pools.open(order)
    asked = row(fake.GOOD, 2.5)
    ((found,),) = pools.interact(order.digest, asked, ExplainOptions())
    assert (found.values == np.outer(asked[0], asked[0])).all()
    with pytest.raises(ModelFailed):
        pools.interact(order.digest, row(fake.RAISE), ExplainOptions())
    assert pools.interact(order.digest, asked[:0], ExplainOptions()) == []
    pools.close(order.digest)


def test_opening_twice_keeps_the_first(pools: WorkerPools) -> None:
    """A version that is served stays as it is, and so does its process; callers that race open it once."""
    order = order_of()
    threads = [threading.Thread(target=pools.open, args=(order,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pid = pools.predict(order.digest, row(fake.PID))
    pools.open(order)
    assert pools.predict(order.digest, row(fake.PID)) == pid
    pools.close(order.digest)


@pytest.mark.parametrize(("name", "kind"), [("refused", ModelRefused), ("raises", ModelFailed), ("dies", WorkerDied)])
def test_what_does_not_open_is_not_served(pools: WorkerPools, name: str, kind: type[Exception]) -> None:
    """A refusal, an exception and a death while opening are raised as such, and nothing is served."""
    order = order_of(name)
    with pytest.raises(kind):
        pools.open(order)
    assert order.digest not in pools.state()


def test_a_trial_serves_nothing(pools: WorkerPools) -> None:
    """A trial reports what it found and leaves no worker; a bad model is refused with every fault."""
    order = order_of()
    assert pools.trial(order, row(fake.GOOD)).report == fake.REPORT
    assert order.digest not in pools.state()
    with pytest.raises(ModelRefused) as caught:
        pools.trial(order_of("nan"), row(fake.GOOD))
    assert len(caught.value.problems) == 3
    with pytest.raises(ModelRefused, match="signal 9"):
        pools.trial(order_of("dies"), row(fake.GOOD))
    until(lambda: len(pools.processes()) == 2)
    nursery, spare = pools.processes()
    until(lambda: children_of(nursery) == [spare])


def test_rows_are_shared_among_processes() -> None:
    """Two workers explain the parts of one request, in order, with the numbers that one of them would give."""
    pools = WorkerPools(Settings(workers_per_model=2, worker_timeout_s=20), opener=OPENER)
    try:
        order = order_of()
        pools.open(order)
        until(lambda: pools.state()[order.digest].alive == 2)
        rows = np.column_stack([np.zeros(9), np.arange(9.0)])
        found = [explanation for (explanation,) in pools.explain(order.digest, rows, ExplainOptions())]
        assert [explanation.prediction for explanation in found] == [2.0 * i for i in range(9)]
        assert len({explanation.method.reason for explanation in found}) == 2
    finally:
        pools.shutdown()


def test_shutdown_ends_every_process() -> None:
    """After shutdown no process of the room lives, not even a busy worker, and nothing can be opened."""
    pools = WorkerPools(Settings(worker_timeout_s=60), opener=OPENER)
    order = order_of()
    pools.open(order)
    until(lambda: len(pools.processes()) == 2)
    worker = int(pools.predict(order.digest, row(fake.PID))[0, 0])
    failed: list[Exception] = []

    def ask() -> None:
        try:
            pools.predict(order.digest, row(fake.HANG))
        except WorkerDied as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: pools.state()[order.digest].busy == 1)
    everybody = [*pools.processes(), worker]
    pools.shutdown()
    thread.join()
    until(lambda: not any(map(lives, everybody)))
    assert len(failed) == 1
    with pytest.raises(NotReady):
        pools.open(order_of())


def test_everything_ends_with_the_web_process(tmp_path: Path) -> None:
    """kill -9 of the web process ends its nursery, the spare and the workers, a hanging one too."""
    note = tmp_path / "pids"
    code = f"""
import threading, time
from pathlib import Path
from explainer.settings import Settings
from explainer.workers.pool import WorkerPools
from tests.workers.fakes import OPENER, order_of, row
from tests.workers import fake_models as fake
pools = WorkerPools(Settings(), opener=OPENER)
order = order_of()
pools.open(order)
while len(pools.processes()) < 2: time.sleep(0.01)
worker = int(pools.predict(order.digest, row(fake.PID))[0, 0])
threading.Thread(target=pools.predict, args=(order.digest, row(fake.HANG))).start()
Path({str(note)!r}).write_text(" ".join(map(str, [*pools.processes(), worker])) + " end")
time.sleep(600)
"""
    web = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    until(lambda: note.exists() and note.read_text().endswith("end"))
    pids = [int(pid) for pid in note.read_text().split()[:-1]]
    assert len(pids) == 3
    assert all(map(lives, pids))
    os.kill(web.pid, signal.SIGKILL)
    web.wait()
    until(lambda: not any(map(lives, pids)))
