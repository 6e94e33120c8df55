"""A worker's life: take an order, open one version, answer until the socket closes."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace

from explainer.errors import ExplainerError, ModelFailed
from explainer.records import LoadOrder
from explainer.workers import codec
from explainer.workers.frames import ConnectionEndedError, Frame, FrameError, receive, send
from explainer.workers.limits import limit
from explainer.workers.ports import Opener, Served
from explainer.workers.sandbox import enclose
from explainer.workers.wording import describe

CloseIn = Callable[[LoadOrder], tuple[str, ...]]


class Worker:
    """Serves one version over one socket."""

    def __init__(
        self, sock: socket.socket, opener: Opener, close_in: CloseIn, allow: Callable[[], None] = lambda: None
    ) -> None:
        """`allow` is called before each answer: it bounds the processor time until the next."""
        self._sock = sock
        self._allow = allow
        self._opener = opener
        self._close_in = close_in
        self._served: Served | None = None
        self._labels: frozenset[str] = frozenset()
        self._answers: dict[str, Callable[[Frame], Frame]] = {
            "open": self._open,
            "predict": self._predict,
            "explain": self._explain,
            "interact": self._interact,
            "ping": lambda _: Frame("pong", {"pid": os.getpid()}),
        }

    def serve(self) -> None:
        """Answer frames until the other side closes the socket or something says that this process must not go on."""
        going = True
        while going:
            try:
                frame = receive(self._sock)
            except ConnectionEndedError:
                return
            if frame.kind == "stop":  # it came when the answer was on its way
                continue
            self._allow()
            answer, going = self._answer(frame)
            send(self._sock, replace(answer, number=frame.number))

    def _answer(self, frame: Frame) -> tuple[Frame, bool]:
        """Return the answer and whether to go on. The border: whatever model code raises becomes ModelFailed."""
        try:
            return self._answers[frame.kind](frame), True
        except ExplainerError as error:
            return codec.error_frame(error), True
        except MemoryError:
            spent = ModelFailed("The model needed more memory than its process may use.")
            return codec.error_frame(spent, last=True), False
        except Exception as error:  # noqa: BLE001 -- the worker border
            traceback.print_exc()
            rows = frame.arrays.get("rows")
            detail = f"The model raised {describe(error, rows, self._labels)}"
            return codec.error_frame(ModelFailed(detail)), True

    def _open(self, frame: Frame) -> Frame:
        if self._served is not None:
            raise FrameError("This worker serves a version already.")
        order = codec.read_order(frame)
        self._labels = frozenset(label for feature in order.manifest.features for label in feature.categories)
        isolation = self._close_in(order)
        self._served = self._opener(order)
        return codec.report_frame(self._served.report, isolation)

    def _predict(self, frame: Frame) -> Frame:
        return codec.predictions_frame(self._ready().predict(codec.read_rows(frame)))

    def _explain(self, frame: Frame) -> Frame:
        rows, options = codec.read_rows(frame), codec.read_options(frame)
        return codec.explanations_frame(self._ready().explain(rows, options, self._spoken_to))

    def _interact(self, frame: Frame) -> Frame:
        rows, options = codec.read_rows(frame), codec.read_options(frame)
        return codec.interactions_frame(self._ready().interact(rows, options, self._spoken_to))

    def _spoken_to(self) -> bool:
        """Whether the other side says something while it waits for an answer: that can only be `stop`, or its end."""
        try:
            self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return True

    def _ready(self) -> Served:
        if self._served is None:
            raise FrameError("This worker has not opened a version yet.")
        return self._served


def close_in(order: LoadOrder, *, memory_mb: int, sandbox: bool) -> tuple[str, ...]:
    """Bound this process for good before it sees the model of `order`; return what holds, a sentence each."""
    limit(memory_mb)
    bound = f"at most {memory_mb} MB of address space"
    if not sandbox:
        return (bound, "no sandbox: switched off")
    return (bound, *enclose([order.model_path], network=order.manifest.remote is not None))


def live(sock: socket.socket, opener: Opener, close_in: CloseIn, allow: Callable[[], None]) -> None:
    """Serve `sock` until it closes, then end the process without running what the nursery would run at its own end."""
    status = 1
    try:
        Worker(sock, opener, close_in, allow).serve()
        status = 0
    except (FrameError, OSError):
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
