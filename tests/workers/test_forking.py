"""The nursery is started, replaced by its spare when it is killed, and stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from explainer.errors import NotReady
from explainer.workers import codec
from explainer.workers.client import within
from explainer.workers.forking import Forker
from explainer.workers.health import BLAMELESS
from tests.workers import fake_models as fake
from tests.workers.fakes import OPENER, order_of, row
from tests.workers.processes import lives, until


@pytest.fixture
def forker() -> Iterator[Forker]:
    forker = Forker(OPENER, memory_mb=1024, cpu_s=60, sandbox=True)
    forker.start()
    yield forker
    forker.stop()


def test_the_spare_takes_over_and_is_replaced(forker: Forker) -> None:
    """When the nursery is killed its spare forks the next worker, and makes a spare of its own."""
    until(lambda: len(forker.pids()) == 2)
    first, spare = forker.pids()
    worker = forker.fork()
    os.kill(first, signal.SIGKILL)
    assert worker.wait_ended(20)
    assert worker.blame == BLAMELESS
    assert "nursery" in worker.how()
    other = forker.fork()
    other.ask(codec.order_frame(order_of()), within(20))
    until(lambda: len(forker.pids()) == 2)
    assert forker.pids()[0] == spare
    assert forker.pids()[1] not in (first, spare)


def test_how_a_worker_ended_is_told(forker: Forker) -> None:
    """The nursery's news name the signal or the exit status, and what the process last printed."""
    worker = forker.fork()
    worker.kill()
    assert worker.wait_ended(20)
    assert worker.how() == "signal 9, SIGKILL"
    worker.close()


def test_stopping_ends_nursery_and_spare() -> None:
    """After stop both are gone and no worker can be had."""
    forker = Forker(OPENER, memory_mb=1024, cpu_s=60, sandbox=True)
    forker.start()
    until(lambda: len(forker.pids()) == 2)
    worker = forker.fork()
    worker.ask(codec.order_frame(order_of()), within(20))
    pids = forker.pids()
    forker.stop()
    until(lambda: not any(map(lives, pids)))
    assert worker.wait_ended(20)
    with pytest.raises(NotReady):
        forker.fork()


def test_a_nursery_that_cannot_start_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """An opener that does not exist ends the nursery and its worker, without blame, and the reason is shown."""
    forker = Forker("tests.workers.fake_models:nobody", memory_mb=1024, cpu_s=60, sandbox=True)
    worker = forker.fork()
    assert worker.wait_ended(60)
    assert worker.blame == BLAMELESS
    forker.stop()
    assert "nobody" in capfd.readouterr().err


def test_workers_do_not_share_a_fate(forker: Forker) -> None:
    """One worker that is killed leaves another one answering."""
    one, two = forker.fork(), forker.fork()
    for worker in (one, two):
        worker.ask(codec.order_frame(order_of()), within(20))
    one.kill()
    assert one.wait_ended(20)
    answer = two.ask(codec.predict_frame(row(fake.GOOD)), within(20))
    assert codec.read_predictions(answer).tolist() == [[6.0]]
