"""A worker answers frames, turns what models raise into errors without row values, and knows when to end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from explainer.attribution.ports import Stop
from explainer.errors import InvalidOption, ModelFailed, ModelRefused
from explainer.records import ExplainOptions, FloatArray, LoadOrder, OpenReport
from explainer.workers import codec
from explainer.workers.child import Worker
from explainer.workers.frames import Frame, receive, send
from tests.workers import fake_models
from tests.workers.fakes import order_of, row


class Greedy:
    """A model that always needs more memory than there is."""

    report = fake_models.REPORT

    def predict(self, rows: FloatArray) -> FloatArray:
        raise MemoryError

    def explain(self, rows: FloatArray, options: ExplainOptions, stop: Stop | None = None) -> list[tuple[()]]:
        raise AssertionError


class Conversation:
    """The other end of a worker that lives in a thread."""

    def __init__(self, opener: object = fake_models.open_fake) -> None:
        self.sock, theirs = socket.socketpair()
        self.closed_in: list[LoadOrder] = []
        self.thread = threading.Thread(target=self._live, args=(theirs, opener), daemon=True)
        self.thread.start()

    def _live(self, sock: socket.socket, opener: object) -> None:
        with sock:
            Worker(sock, opener, self._close_in).serve()  # type: ignore[arg-type]

    def _close_in(self, order: LoadOrder) -> tuple[str, ...]:
        self.closed_in.append(order)
        return ("closed in",)

    def ask(self, frame: Frame) -> Frame:
        send(self.sock, frame)
        return receive(self.sock)

    def error(self, frame: Frame) -> Exception:
        return codec.read_error(self.ask(frame))[0]

    def open(self, name: str = "good") -> OpenReport:
        return codec.read_report(self.ask(codec.order_frame(order_of(name))))[0]


@pytest.fixture
def worker() -> Iterator[Conversation]:
    talk = Conversation()
    yield talk
    talk.sock.close()
    talk.thread.join(5)


def test_it_answers_which_features_interact(worker: Conversation) -> None:
    """Rows are answered by a matrix each, with the bits that the model's process had."""
    worker.open()
    rows = np.concatenate([row(fake_models.GOOD, 1 / 3), row(fake_models.GOOD, 2.5)])
    found = codec.read_interactions(worker.ask(codec.interact_frame(rows, ExplainOptions(seed=4))))
    assert [f.values.tobytes() for (f,) in found] == [np.outer(r, r).tobytes() for r in rows]
    assert {f.method.seed for (f,) in found} == {4}


def test_it_opens_predicts_and_explains(worker: Conversation) -> None:
    """An order is answered by the report, rows by predictions and explanations; numbers of questions come back."""
    assert worker.open() == fake_models.REPORT
    answer = worker.ask(Frame("predict", None, {"rows": row(fake_models.GOOD, 1.5)}, 42))
    assert answer.number == 42
    assert codec.read_predictions(answer).tolist() == [[3.0]]
    answer = worker.ask(codec.explain_frame(row(fake_models.GOOD, 1.5), ExplainOptions(seed=5)))
    assert codec.read_explanations(answer)[0][0].method.seed == 5
    assert worker.ask(Frame("ping")).kind == "pong"


def test_it_is_closed_in_before_it_sees_the_model() -> None:
    """The order is used to close the process in even when opening fails, and what holds is reported."""
    talk = Conversation()
    assert isinstance(talk.error(codec.order_frame(order_of("raises"))), ModelFailed)
    assert len(talk.closed_in) == 1
    talk = Conversation()
    assert codec.read_report(talk.ask(codec.order_frame(order_of())))[1] == ("closed in",)


def test_what_a_model_raises_becomes_model_failed(worker: Conversation) -> None:
    """Type and message arrive; neither the row's number nor the name of a category does; the worker goes on."""
    worker.open()
    error = worker.error(codec.predict_frame(row(fake_models.RAISE, 1169.25)))
    assert isinstance(error, ModelFailed)
    assert "ValueError: cannot make sense of [value], nor of '[value]' in 2 columns" in str(error)
    assert codec.read_predictions(worker.ask(codec.predict_frame(row(fake_models.GOOD)))).tolist() == [[6.0]]


def test_errors_of_the_house_pass(worker: Conversation) -> None:
    """An error with a code of ours keeps its class and problems."""
    refused = worker.error(codec.order_frame(order_of("refused")))
    assert isinstance(refused, ModelRefused)
    assert [problem.where for problem in refused.problems] == ["a", "d"]
    worker.open()
    options = ExplainOptions(method="nonsense")
    assert isinstance(worker.error(codec.explain_frame(row(fake_models.GOOD), options)), InvalidOption)


def test_questions_out_of_order_are_refused(worker: Conversation) -> None:
    """Rows before an order, a second order and an unknown kind are answered by errors."""
    assert isinstance(worker.error(codec.predict_frame(row(fake_models.GOOD))), ModelFailed)
    worker.open()
    assert isinstance(worker.error(codec.order_frame(order_of())), ModelFailed)
    assert isinstance(worker.error(Frame("dance")), ModelFailed)


def test_it_ends_when_the_socket_closes(worker: Conversation) -> None:
    """A closed socket is a clean end."""
    worker.open()
    worker.sock.close()
    worker.thread.join(5)
    assert not worker.thread.is_alive()


def test_it_ends_after_running_out_of_memory() -> None:
    """A model that met the limit of memory is answered for and then ends: what it left behind is not trusted."""
    talk = Conversation(lambda order: Greedy())
    talk.open()
    error, last = codec.read_error(talk.ask(codec.predict_frame(np.zeros((1, 2)))))
    assert isinstance(error, ModelFailed)
    assert "memory" in error.detail
    assert last
    talk.thread.join(5)
    assert not talk.thread.is_alive()
