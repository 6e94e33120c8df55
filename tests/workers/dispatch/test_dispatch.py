"""Web processes and the dispatcher: questions over a real socket, workers in threads."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from explainer.errors import Cancelled, ExplainerError, ModelFailed, NotReady, Overloaded, WorkerDied
from explainer.records import ExplainOptions, Notice, OpenReport
from explainer.settings import Settings
from explainer.workers.asking import Asking
from explainer.workers.dispatch import words
from explainer.workers.dispatch.address import LONGEST, connected, listening
from explainer.workers.dispatch.client import DistantPools
from explainer.workers.dispatch.server import Dispatcher
from explainer.workers.frames import Frame, FrameError, send
from explainer.workers.trial import Trial
from explainer.workers.version import PoolState, VersionPool
from tests.workers import fake_models
from tests.workers.fakes import order_of, row, thread_worker

DIGEST = "the version"


@dataclass
class Pools:
    """What the dispatcher needs of WorkerPools, around one version."""

    pool: VersionPool
    tried: list[str] = field(default_factory=list)

    def version(self, digest: str) -> VersionPool:
        if digest != DIGEST:
            raise NotReady("This version is not being served.")
        return self.pool

    def trial(self, order: object, rows: object) -> Trial:
        self.tried.append(type(order).__name__)
        return Trial(fake_models.REPORT, ("a thread",), (Notice("scaffold", "it behaves otherwise on made rows"),))


@dataclass
class Keeper:
    pool: VersionPool

    def opened(self, digest: str) -> OpenReport:
        if digest != DIGEST:
            raise NotReady("credit version 2 is out of service: its file is torn")
        return self.pool.report

    def health(self) -> words.Health:
        return words.Health(("models are still being opened",), {"credit": "torn"}, {DIGEST: self.pool.state()}, (7,))


@dataclass
class Bench:
    """A dispatcher that can be ended and started again, and a web process's view of it."""

    path: Path
    pool: VersionPool
    pools: Pools
    afar: DistantPools
    listener: socket.socket
    accepted: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        dispatcher = Dispatcher(self.pools, Keeper(self.pool))  # type: ignore[arg-type]
        threading.Thread(target=dispatcher.serve, args=(_Listener(self.listener, self.accepted),), daemon=True).start()


class _Listener:
    """A listening socket that remembers what it accepted, so that a test can break it."""

    def __init__(self, sock: socket.socket, accepted: list[socket.socket]) -> None:
        self._sock = sock
        self._accepted = accepted

    def accept(self) -> tuple[socket.socket, object]:
        sock, address = self._sock.accept()
        self._accepted.append(sock)
        return sock, address


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    path = tmp_path / "dispatcher.sock"
    pool = VersionPool(
        order_of(), Settings(worker_timeout_s=5, queue_timeout_s=2, queue_length=3, workers_per_model=1), thread_worker
    )
    pool.open()
    made = Bench(path, pool, Pools(pool), DistantPools(path, patience_s=5), listening(path))
    made.start()
    yield made
    made.afar.shutdown()
    made.listener.close()
    pool.close()


def test_it_answers_as_a_pool_of_this_process_does(bench: Bench) -> None:
    """Predictions, explanations and interactions arrive with the same bits as without a dispatcher between."""
    rows = np.array([[0.0, 0.1], [0.0, 1 / 3], [0.0, 7.0]])
    here, afar, options = bench.pool, bench.afar, ExplainOptions(seed=4)
    assert afar.report(DIGEST) == here.report
    assert afar.predict(DIGEST, rows).tobytes() == here.predict(rows).tobytes()
    assert _bits(afar.explain(DIGEST, rows, options)) == _bits(here.explain(rows, options))
    found, expected = afar.interact(DIGEST, rows, options), here.interact(rows, options)
    assert [f[0].values.tobytes() for f in found] == [e[0].values.tobytes() for e in expected]
    assert afar.explain(DIGEST, rows[:0], options) == []
    assert afar.interact(DIGEST, rows[:0], options) == []


def _bits(answers: list) -> list:  # type: ignore[type-arg]
    return [(e.prediction, e.attributions, e.standard_errors, e.expected_value) for row in answers for e in row]


def test_errors_keep_their_class(bench: Bench) -> None:
    """What the model or the pool reports is raised here as the same error, and the connection is used again."""
    with pytest.raises(ModelFailed, match="ValueError"):
        bench.afar.predict(DIGEST, row(fake_models.RAISE))
    with pytest.raises(NotReady, match="its file is torn"):
        bench.afar.report("another")
    for _ in range(5):
        bench.afar.predict(DIGEST, row(fake_models.GOOD))
    assert len(bench.accepted) == 1


def test_its_health_says_why(bench: Bench) -> None:
    """Reasons, pools and processes arrive whole."""
    health = bench.afar.health()
    assert health.unready == ("models are still being opened",)
    assert health.out_of_service == {"credit": "torn"}
    assert health.processes == (7,)
    assert isinstance(health.pools[DIGEST], PoolState)
    assert health.pools[DIGEST].isolation == ("a thread",)


def test_a_trial_goes_over_the_wire(bench: Bench) -> None:
    """A version can be tried from a web process: the order arrives as one."""
    tried = bench.afar.trial(order_of(), row(fake_models.GOOD))
    assert (tried.report, tried.isolation, bench.pools.tried) == (fake_models.REPORT, ("a thread",), ["LoadOrder"])
    assert tried.findings == (Notice("scaffold", "it behaves otherwise on made rows"),)


def test_the_same_row_is_computed_once(bench: Bench) -> None:
    """Twenty connections that ask for the same key while it is being computed get one computation's answer."""
    asking = Asking(keys=(b"k" * 32,))
    slow = row(fake_models.SLOW, 0.5)
    began = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        jobs = [threads.submit(bench.afar.explain, DIGEST, slow, ExplainOptions(), asking) for _ in range(20)]
        answers = {repr(job.result()) for job in jobs}
    assert len(answers) == 1
    assert time.monotonic() - began < 20 * 0.5 / 2  # one after another they would take twice as long


def test_a_full_line_is_refused_at_once(bench: Bench) -> None:
    """With three questions waiting the next ones are refused while the model is still busy."""
    refused: list[ExplainerError] = []

    def ask(number: int) -> None:
        try:
            bench.afar.predict(DIGEST, row(fake_models.SLOW, 0.4), Asking(principal=f"key {number}"))
        except Overloaded as error:
            refused.append(error)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))
    assert len(refused) >= 3
    assert all(error.retry_after_s is not None for error in refused)


def test_a_client_that_hangs_up_stops_the_work(bench: Bench) -> None:
    """When the HTTP client closes its connection, the question is withdrawn and the worker is free at once."""
    ours, theirs = socket.socketpair()
    gone: list[ExplainerError] = []

    def ask() -> None:
        try:
            bench.afar.explain(DIGEST, row(fake_models.PATIENT, 30.0), ExplainOptions(), Asking(client=ours))
        except Cancelled as error:
            gone.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    while bench.pool.state().busy == 0:
        time.sleep(0.01)
    theirs.close()
    asker.join(5)
    assert len(gone) == 1
    assert bench.afar.predict(DIGEST, row(fake_models.GOOD)).tolist() == [[6.0]]
    assert bench.pool.state().restarts == 0
    ours.close()


def test_a_dispatcher_that_ended_is_asked_again(bench: Bench) -> None:
    """When the connection breaks while a question is open, it is put once more and answered."""
    found: list[list[list[float]]] = []
    asker = threading.Thread(
        target=lambda: found.append(bench.afar.predict(DIGEST, row(fake_models.SLOW, 0.3)).tolist())
    )
    asker.start()
    while bench.pool.state().busy == 0:
        time.sleep(0.01)
    _break(bench.accepted)
    asker.join(5)
    assert found == [[[0.6]]]


def test_one_that_keeps_ending_is_told(bench: Bench) -> None:
    """When the second attempt breaks too, the caller is told that the request can be sent again."""
    failed: list[ExplainerError] = []

    def ask() -> None:
        try:
            bench.afar.explain(DIGEST, row(fake_models.PATIENT, 5.0), ExplainOptions())
        except WorkerDied as error:
            failed.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    while asker.is_alive():
        while asker.is_alive() and bench.pool.state().busy == 0:
            time.sleep(0.01)
        _break(bench.accepted)
    assert "sent again" in failed[0].detail


def _break(accepted: list[socket.socket]) -> None:
    for sock in tuple(accepted):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def test_without_a_dispatcher_the_wait_has_an_end(tmp_path: Path) -> None:
    """Nobody listens, or nobody accepts: NotReady after the patience, not for ever."""
    with pytest.raises(NotReady, match="restarted"):
        DistantPools(tmp_path / "nothing.sock", patience_s=0.1).health()
    with listening(tmp_path / "deaf.sock"), pytest.raises(NotReady, match="restarted"):
        DistantPools(tmp_path / "deaf.sock", patience_s=0.1).predict(DIGEST, row(fake_models.GOOD))


def test_an_answer_that_cannot_be_read_ends_its_worker(bench: Bench) -> None:
    """The web process finds it, says so, and the dispatcher has the worker replaced."""

    def unreadable(_: Frame) -> None:
        raise FrameError("nonsense")

    asked = words.question_frame(words.Question(DIGEST, "predict", row(fake_models.GOOD), None, Asking()))
    with pytest.raises(ModelFailed, match="nonsense"):
        bench.afar._ask(asked, unreadable)
    until = time.monotonic() + 5
    while bench.pool.state().restarts == 0:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("frame", [Frame("rubbish"), Frame("ask", {"digest": 1}), Frame("want", [1])])
def test_rubbish_ends_the_connection_only(bench: Bench, frame: Frame) -> None:
    """A connection that says what is no question is closed; others go on."""
    with connected(bench.path, 5) as sock:
        send(sock, frame)
        sock.settimeout(5)
        while sock.recv(65536):
            pass
    assert bench.afar.predict(DIGEST, row(fake_models.GOOD)).tolist() == [[6.0]]


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """A socket may lie deeper than its address can say, and only its owner may connect."""
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    path = folder / "x.sock"
    assert len(str(path)) > LONGEST
    with listening(path) as listener, connected(path, 1) as one:
        other, _ = listener.accept()
        other.sendall(b"heard")
        assert one.recv(5) == b"heard"
        other.close()
    assert path.stat().st_mode & 0o777 == 0o600
