"""The web process's end of a worker: answers, errors, and every way in which the other end can fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from explainer.errors import ModelFailed, NotReady, WorkerDied, WorkerTimedOut
from explainer.workers import codec
from explainer.workers.client import Worker, opened, within
from explainer.workers.frames import Frame, receive, send
from explainer.workers.health import BLAMELESS
from tests.workers import fake_models
from tests.workers.fakes import order_of, row, thread_worker


def answered_by(answer: Callable[[socket.socket], None]) -> Worker:
    """A worker whose other end reads one question and then does what `answer` says."""
    ours, theirs = socket.socketpair()
    worker = Worker(1, ours, lambda _: worker.end("it was killed"))

    def live() -> None:
        receive(theirs)
        answer(theirs)
        worker.wait_ended(60)

    threading.Thread(target=live, daemon=True).start()
    return worker


def test_questions_are_answered() -> None:
    """A question gets its answer, and the worker stays sound."""
    worker = thread_worker()
    worker.ask(codec.order_frame(order_of()), within(5))
    answer = worker.ask(codec.predict_frame(row(fake_models.GOOD, 4.0)), within(5))
    assert worker.understand(codec.read_predictions, answer).tolist() == [[8.0]]
    assert worker.sound()
    worker.close()


def test_reported_errors_are_raised_and_do_no_harm() -> None:
    """An error that the worker reports is raised; the worker can be asked again."""
    worker = thread_worker()
    worker.ask(codec.order_frame(order_of()), within(5))
    with pytest.raises(ModelFailed, match="ValueError"):
        worker.ask(codec.predict_frame(row(fake_models.RAISE)), within(5))
    assert worker.sound()
    worker.close()


def test_silence_is_a_timeout() -> None:
    """A worker that does not answer by the deadline is killed and of no more use."""
    worker = answered_by(lambda sock: None)
    with pytest.raises(WorkerTimedOut):
        worker.ask(Frame("ping"), within(0.05))
    assert not worker.sound()
    assert worker.wait_ended(0)


def test_a_closed_connection_is_a_death() -> None:
    """A worker that goes away in mid-call raises WorkerDied with the way it ended."""
    worker = answered_by(lambda sock: worker.end("signal 9, SIGKILL"))
    with pytest.raises(WorkerDied, match="signal 9, SIGKILL"):
        worker.ask(Frame("ping"), within(5))
    assert not worker.sound()


@pytest.mark.parametrize(
    "answer",
    [
        lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n....................."),
        lambda sock: send(sock, Frame("pong", number=2)),
        lambda sock: send(sock, Frame("error", {"code": "boom"}, number=1)),
        lambda sock: send(sock, Frame("error", None, number=1)),
    ],
)
def test_what_is_no_answer_ends_the_worker(answer: Callable[[socket.socket], None]) -> None:
    """Garbage, the answer to another question and a malformed error raise ModelFailed and kill the worker."""
    worker = answered_by(answer)
    with pytest.raises(ModelFailed, match="not an answer"):
        worker.ask(Frame("ping"), within(5))
    assert worker.wait_ended(0)


def test_a_malformed_answer_ends_the_worker() -> None:
    """An answer of the wrong kind raises ModelFailed and kills the worker."""
    worker = answered_by(lambda sock: send(sock, Frame("pong", number=1)))
    answer = worker.ask(Frame("predict"), within(5))
    with pytest.raises(ModelFailed):
        worker.understand(codec.read_predictions, answer)
    assert worker.wait_ended(0)


def test_words_that_nobody_asked_for_make_a_worker_unsound() -> None:
    """A worker that speaks while idle is not asked again."""
    ours, theirs = socket.socketpair()
    worker = Worker(1, ours, lambda _: None)
    assert worker.sound()
    theirs.send(b"x")
    assert not worker.sound()
    assert worker.failure is not None


def test_an_idle_worker_that_ended_is_unsound() -> None:
    """A closed connection is noticed before the next question is put."""
    ours, theirs = socket.socketpair()
    worker = Worker(1, ours, lambda _: None)
    theirs.close()
    assert not worker.sound()


def test_a_last_answer_ends_the_worker() -> None:
    """After an error that says it is the last, the worker is not asked again."""
    worker = answered_by(
        lambda sock: send(sock, Frame("error", {**codec.error_frame(ModelFailed("x"), last=True).body}, number=1))
    )
    with pytest.raises(ModelFailed, match="x"):
        worker.ask(Frame("ping"), within(5))
    assert not worker.sound()


def test_opening_is_tried_again_when_the_nursery_was_killed() -> None:
    """A worker that ended with its nursery says nothing about the model: another one is asked."""
    lost = answered_by(lambda sock: lost.end("its nursery ended", blame=BLAMELESS))
    workers = iter([lost, thread_worker()])
    worker, report, isolation = opened(lambda: next(workers), order_of(), 5)
    assert (report, isolation) == (fake_models.REPORT, ("a thread",))
    worker.close()


def test_opening_gives_up_when_the_nursery_keeps_ending() -> None:
    """A nursery that ends every time is told as NotReady, not as a fault of the model."""

    def lost() -> Worker:
        worker = answered_by(lambda sock: worker.end("its nursery ended", blame=BLAMELESS))
        return worker

    with pytest.raises(NotReady):
        opened(lost, order_of(), 5)
