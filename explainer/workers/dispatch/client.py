"""A web process's side of the dispatcher: one question at a time on each connection, and connections are kept."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from explainer.errors import Cancelled, ExplainerError, ModelFailed, NotReady, WorkerDied
from explainer.records import ExplainOptions, Explanation, FloatArray, Interactions, LoadOrder, OpenReport
from explainer.workers import codec
from explainer.workers.answers import checked_explanations, checked_interactions, checked_predictions
from explainer.workers.asking import Asking
from explainer.workers.dispatch import words
from explainer.workers.dispatch.address import connected
from explainer.workers.frames import Frame, FrameError, receive, send
from explainer.workers.trial import Trial

T = TypeVar("T")
ANYBODY: Final = Asking()
SEND_S: Final = 10.0
HEALTH_S: Final = 1.0
IDLE: Final = 64  # connections that are kept
GONE: Final = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class DistantPools:
    """The workers as a web process sees them; safe for any number of threads.

    When the dispatcher ends while it is asked, the question is put once more to the one that takes its place.
    """

    def __init__(self, path: Path, *, patience_s: float) -> None:
        """`patience_s` is how long a dispatcher that is being restarted is waited for."""
        self._path = path
        self._patience_s = patience_s
        self._idle: list[socket.socket] = []
        self._guard = threading.Lock()
        self._reports: dict[str, OpenReport] = {}

    def start(self) -> None:
        """Nothing is to be started: the dispatcher has a life of its own."""

    def shutdown(self) -> None:
        """Close the connections that are kept."""
        with self._guard:
            idle, self._idle = self._idle, []
        for sock in idle:
            sock.close()

    def report(self, digest: str) -> OpenReport:
        """Have a version served and return what its workers found; raises NotReady with the reason when it is not."""
        report = self._reports.get(digest)
        if report is None:
            report, _ = self._ask(words.wanted_frame(digest), codec.read_report)
            self._reports[digest] = report
        return report

    def predict(self, digest: str, rows: FloatArray, asking: Asking = ANYBODY) -> FloatArray:
        """As `WorkerPools.predict`."""
        asked = words.Question(digest, "predict", rows, None, asking)
        found = self._ask(words.question_frame(asked), codec.read_predictions, asking)
        return checked_predictions(found, len(rows), self.report(digest).outputs)

    def explain(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Explanation, ...]]:
        """As `WorkerPools.explain`."""
        if len(rows) == 0:
            return []
        asked = words.Question(digest, "explain", rows, options, asking)
        found = self._ask(words.question_frame(asked), codec.read_explanations, asking)
        return checked_explanations(found, len(rows), rows.shape[1], self.report(digest).outputs)

    def interact(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Interactions, ...]]:
        """As `WorkerPools.interact`."""
        if len(rows) == 0:
            return []
        asked = words.Question(digest, "interact", rows, options, asking)
        found = self._ask(words.question_frame(asked), codec.read_interactions, asking)
        return checked_interactions(found, len(rows), rows.shape[1], self.report(digest).outputs)

    def trial(self, order: LoadOrder, rows: FloatArray) -> Trial:
        """As `WorkerPools.trial`."""
        return self._ask(words.trial_frame(order, rows), words.read_tried)

    def health(self) -> words.Health:
        """How the dispatcher is doing; raises NotReady when there is none at this moment."""
        return self._ask(words.HEALTH, words.read_health, patience_s=HEALTH_S)

    def _ask(
        self,
        question: Frame,
        read: Callable[[Frame], T],
        asking: Asking = ANYBODY,
        *,
        patience_s: float | None = None,
    ) -> T:
        """Raises what is answered, ModelFailed for what cannot be read, Cancelled when the client has gone."""
        for last in (False, True):
            with self._connection(self._patience_s if patience_s is None else patience_s) as sock:
                try:
                    send(sock, question, deadline=time.monotonic() + SEND_S)
                    self._await(sock, asking.client)
                    answer = receive(sock, deadline=time.monotonic() + SEND_S)
                except (FrameError, OSError):
                    sock.close()
                    self.shutdown()  # the connections that are kept lead to the same dispatcher
                    if last:
                        break
                    continue
                return _understood(sock, answer, read)
        raise WorkerDied("The process that holds the models ended while it answered. The request can be sent again.")

    def _await(self, sock: socket.socket, client: object | None) -> None:
        """Wait for an answer; when the client hangs up first, hang up too, which has the work dropped."""
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if isinstance(client, socket.socket) and client.fileno() >= 0:
            poll.register(client, GONE)
        while True:
            ready = dict(poll.poll())
            if sock.fileno() in ready:
                return
            if ready:
                sock.close()
                raise Cancelled("Whoever asked has hung up.")

    @contextlib.contextmanager
    def _connection(self, patience_s: float) -> Iterator[socket.socket]:
        """Lend a connection; it is kept for later unless it was closed."""
        with self._guard:
            sock = self._idle.pop() if self._idle else None
        sock = sock or self._new(patience_s)
        try:
            yield sock
        except ExplainerError:
            self._keep(sock)  # an error that was answered: the connection is as good as before
            raise
        except BaseException:
            sock.close()
            raise
        self._keep(sock)

    def _keep(self, sock: socket.socket) -> None:
        with self._guard:
            if sock.fileno() >= 0 and len(self._idle) < IDLE:
                self._idle.append(sock)
                return
        sock.close()

    def _new(self, patience_s: float) -> socket.socket:
        deadline = time.monotonic() + patience_s
        while True:
            with contextlib.suppress(OSError, FrameError):
                sock = connected(self._path, patience_s)
                try:
                    receive(sock, deadline=deadline)
                except (OSError, FrameError):
                    sock.close()
                    raise
                return sock
            if time.monotonic() > deadline:
                raise NotReady("The process that holds the models is being restarted; try again in a moment.")
            time.sleep(0.02)


def _understood(sock: socket.socket, answer: Frame, read: Callable[[Frame], T]) -> T:
    if answer.kind == "error":
        error, _ = codec.read_error(answer)
        raise error
    try:
        return read(answer)
    except FrameError as problem:
        send(sock, words.SPOIL, deadline=time.monotonic() + SEND_S)
        raise ModelFailed(f"The model's process answered what is not an answer, and is ended. {problem}") from None
