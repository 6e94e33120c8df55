"""The dispatcher's side: a thread for each connection of a web process reads questions, minders answer them."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from explainer.errors import ExplainerError, ModelFailed
from explainer.records import OpenReport
from explainer.workers import codec
from explainer.workers.asking import Job
from explainer.workers.dispatch import words
from explainer.workers.frames import ConnectionEndedError, Frame, FrameError, receive, send
from explainer.workers.pool import WorkerPools

log = logging.getLogger(__name__)
SEND_S: Final = 10.0  # how long a web process may take to read an answer


class Keeper(Protocol):
    """Who knows which versions are to be served."""

    def opened(self, digest: str) -> OpenReport:
        """Have a version served; raises NotReady with the reason when it cannot be."""
        ...

    def health(self) -> words.Health: ...


class Dispatcher:
    """Answers every connection to one listening socket."""

    def __init__(self, pools: WorkerPools, keeper: Keeper) -> None:
        self._pools = pools
        self._keeper = keeper

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                connection = Connection(sock, self._pools, self._keeper)
                threading.Thread(target=connection.run, name="web", daemon=True).start()


class Connection:
    """One connection: one question at a time; when it is closed from there, its question is given up."""

    def __init__(self, sock: socket.socket, pools: WorkerPools, keeper: Keeper) -> None:
        self._sock = sock
        self._pools = pools
        self._keeper = keeper
        self._job: Job | None = None
        self._give_up: Callable[[], None] = lambda: None
        self._answers: dict[str, Callable[[Frame], Frame | None]] = {
            "ask": self._ask,
            "want": lambda frame: words.report_frame(self._keeper.opened(words.read_wanted(frame))),
            "health": lambda _: words.health_frame(self._keeper.health()),
            "trial": self._trial,
            "spoil": self._spoil,
        }

    def run(self) -> None:
        with self._sock:
            try:
                self._say(words.HELLO)
                while True:
                    self._hear(receive(self._sock))
            except ConnectionEndedError:
                pass
            except (FrameError, OSError) as error:
                log.warning("a connection of a web process broke: %s", error)
            finally:
                self._give_up()

    def _hear(self, frame: Frame) -> None:
        try:
            answer = self._answers[frame.kind](frame)
        except ExplainerError as error:
            answer = codec.error_frame(error)
        except KeyError:
            raise FrameError(f"{frame.kind[:40]!r} is nothing that the dispatcher is asked.") from None
        if answer is not None:
            self._say(answer)

    def _ask(self, frame: Frame) -> None:
        asked = words.read_question(frame)
        self._keeper.opened(asked.digest)
        version = self._pools.version(asked.digest)
        self._job = job = version.submit(asked.kind, asked.rows, asked.options, asked.asking, self._answer)
        self._give_up = lambda: version.cancel(job)

    def _answer(self, job: Job) -> None:
        """Called by whoever answered the last row of the question, or failed it."""
        try:
            answer = job.answer()
        except ExplainerError as error:
            answer = codec.error_frame(error)
        except FrameError as problem:
            _spoil(job, str(problem))
            answer = codec.error_frame(ModelFailed(f"The model's process answered what is not an answer. {problem}"))
        with contextlib.suppress(OSError):  # whoever asked has gone: `run` sees it too
            self._say(answer)

    def _spoil(self, _: Frame) -> None:
        """The web process could not read the last answer: the workers that gave it are of no more use."""
        if self._job is not None:
            _spoil(self._job, "its answer could not be read")

    def _trial(self, frame: Frame) -> Frame:
        return words.tried_frame(self._pools.trial(*words.read_trial(frame)))

    def _say(self, frame: Frame) -> None:
        send(self._sock, replace(frame, number=0), deadline=time.monotonic() + SEND_S)


def _spoil(job: Job, why: str) -> None:
    for worker in job.workers:
        worker.spoil(f"it broke the protocol ({why})")
