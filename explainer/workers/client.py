"""The web process's side of one worker: put a question, take the answer, and know how it ended when it ends."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from explainer.errors import ExplainerError, ModelFailed, NotReady, WorkerDied, WorkerTimedOut
from explainer.records import LoadOrder, OpenReport
from explainer.workers import codec
from explainer.workers.frames import Frame, FrameError, packed, receive, send
from explainer.workers.health import BLAMELESS, OWN_DOING

log = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 3
NEWS_OF_END_S = 1.0  # how long to wait for the nursery to say how a worker ended


class Worker:
    """One worker process. One thread uses it at a time; `end` and `kill` may be called from any."""

    def __init__(self, number: int, sock: socket.socket, kill: Callable[[int], None]) -> None:
        self.number = number
        self.pid: int | None = None
        self.failure: str | None = None  # why it is of no more use
        self.blame = OWN_DOING  # how much its end speaks against the model
        self.when_ended: Callable[[Worker], None] | None = None
        self._sock = sock
        self._kill = kill
        self._ended = threading.Event()
        self._how = "it was stopped"
        self._asked = 0

    def ask(self, question: Frame, deadline: float) -> Frame:
        """Put a question and take its answer; raises as `put` and `take` do."""
        self.put(question, deadline)
        return self.take(deadline)

    def put(self, question: Frame, deadline: float) -> None:
        """Send a question; raises WorkerDied, or WorkerTimedOut when `deadline` (time.monotonic()) passes."""
        self._asked += 1
        try:
            send(self._sock, replace(question, number=self._asked), deadline=deadline)
        except TimeoutError:
            raise self._timed_out() from None
        except OSError:
            raise self._died() from None

    def take(self, deadline: float) -> Frame:
        """Return the answer to the last question.

        Raises the error that the worker reports, WorkerDied when it ends or answers what is not an answer, and
        WorkerTimedOut when `deadline` (time.monotonic()) passes. After the last two it is killed.
        """
        try:
            answer = receive(self._sock, deadline=deadline)
            if answer.number != self._asked:
                raise FrameError("An answer to another question arrived.")
            if answer.kind != "error":
                return answer
            error, last = codec.read_error(answer)
        except TimeoutError:
            raise self._timed_out() from None
        except (FrameError, OSError) as problem:
            raise self._died(problem) from None
        if last:
            self.spoil(error.detail)
        raise error

    def stop(self) -> None:
        """Have it give up the question that it is working on; only while that waits for its answer in another thread.

        It is told without waiting: when its socket takes nothing it is not listening, and its own time will end it.
        """
        with contextlib.suppress(OSError):
            self._sock.send(packed(Frame("stop", number=self._asked)), socket.MSG_DONTWAIT)

    def understand(self, read: Callable[[Frame], T], answer: Frame) -> T:
        """Return what `read` makes of the answer; when it is malformed, kill the worker and raise ModelFailed."""
        try:
            return read(answer)
        except FrameError as problem:
            raise self._babbled(problem) from None

    def sound(self) -> bool:
        """Whether it can be asked: it has not ended, and has said nothing that it was not asked."""
        if self.failure is not None or self._ended.is_set():
            return False
        try:
            self._sock.settimeout(0)
            if self._sock.recv(1, socket.MSG_PEEK):
                self.spoil("it said something that it was not asked")
        except BlockingIOError:
            return True
        except OSError as problem:
            self.spoil(f"its connection broke ({problem})")
        return False

    def spoil(self, why: str) -> None:
        """Declare it of no more use, for the reason that is given, and kill it."""
        self.failure = self.failure or why
        self.kill()

    def kill(self) -> None:
        if not self._ended.is_set():
            self._kill(self.number)

    def close(self) -> None:
        """Kill it and let go of its socket."""
        self.kill()
        self._sock.close()

    def end(self, how: str, output: str = "", *, blame: int = OWN_DOING) -> None:
        """Called when the process has ended; wakes whoever waits for an answer."""
        self._how = how
        if self.failure is None:  # otherwise it was we who killed it
            self.blame = blame
        self._ended.set()
        if output:
            # Not the output itself: models print rows.
            log.debug("worker %s left %d characters of output", self.pid, len(output))
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if self.when_ended is not None:
            self.when_ended(self)

    def wait_ended(self, seconds: float) -> bool:
        return self._ended.wait(seconds)

    def how(self) -> str:
        """How the process ended, as part of a sentence."""
        return self._how

    def _timed_out(self) -> ExplainerError:
        self.spoil("it did not answer in time")
        return WorkerTimedOut("The model did not answer in time; its process was ended and is being replaced.")

    def _babbled(self, problem: FrameError) -> ExplainerError:
        self.spoil(f"it broke the protocol ({problem})")
        return ModelFailed(f"The model's process answered what is not an answer, and was ended. {problem}")

    def _died(self, problem: Exception | None = None) -> ExplainerError:
        if type(problem) is FrameError and not self._ended.wait(0.05):
            return self._babbled(problem)
        self._ended.wait(NEWS_OF_END_S)
        self.spoil(self._how)
        return WorkerDied(f"The model's process ended while it answered ({self._how}). The request can be sent again.")


def opened(fork: Callable[[], Worker], order: LoadOrder, seconds: float) -> tuple[Worker, OpenReport, tuple[str, ...]]:
    """Have a worker forked and open a version: the worker, what it found, and what keeps it closed in.

    Raises what the worker reports, WorkerDied or WorkerTimedOut; NotReady when the nursery ends each time it is tried.
    """
    for _ in range(ATTEMPTS):
        worker = fork()
        try:
            answer = worker.ask(codec.order_frame(order), within(seconds))
            report, isolation = worker.understand(codec.read_report, answer)
        except BaseException as error:
            worker.close()
            if isinstance(error, WorkerDied) and worker.blame == BLAMELESS:
                continue  # the nursery was killed, which says nothing about the model
            raise
        return worker, report, isolation
    raise NotReady("The process that starts model workers keeps ending; its messages are on standard error.")


def within(seconds: float) -> float:
    """The deadline that lies `seconds` ahead."""
    return time.monotonic() + seconds
