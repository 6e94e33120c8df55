"""One client's connection: what has come of its request, what is still owed to it, and until when."""

from __future__ import annotations

import enum
import math
import select
import socket
import time
from typing import IO, Any

from explainer.listening.arriving import Arrival
from explainer.listening.limits import Limits
from explainer.listening.tls import SecureSocket

KEPT = 8_000_000  # bytes of an answer that wait here for their client before its thread waits too
BLOCK = 65_536
Plain = socket.socket | SecureSocket


class State(enum.Enum):
    IDLE = "no request has begun"
    ARRIVING = "a request has come in part"
    BUSY = "a request waits for a thread or has one"
    ANSWERING = "an answer has left in part"
    LEAVING = "all is said; the client may still be reading"


class Wire:
    """The client's socket as gunicorn sees it: what the client does not take at once is kept for the main loop.

    The first write (gunicorn's head of an answer) waits for the second, so that both leave together. Reading never
    waits: `recv` raises BlockingIOError while there is nothing, so `recv(1, MSG_PEEK)` tells whether the client has
    hung up (b"" or ConnectionError).
    """

    def __init__(self, sock: Plain, limits: Limits) -> None:
        self._socket, self._limits = sock, limits
        self._owed = bytearray()
        self._writes = 0

    @property
    def owed(self) -> int:
        return len(self._owed)

    def begin(self) -> None:
        """The next answer begins."""
        self._writes = 0

    def sendall(self, data: bytes) -> None:
        """Send or keep; raises OSError when the client has gone, TimeoutError when it does not read."""
        self._owed += data
        self._writes += 1
        if self._writes > 1 and self.flush():
            return
        until = time.monotonic() + self._limits.answer_s + len(data) / self._limits.pace
        while len(self._owed) > KEPT:
            self._wait(until)
            self.flush()

    def flush(self) -> bool:
        """Send what the client takes without waiting; returns whether nothing is left."""
        while self._owed:
            try:
                sent = self._socket.send(self._owed)
            except BlockingIOError:
                return False
            del self._owed[:sent]
        return True

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send part of a file in blocks; returns its bytes."""
        file.seek(offset)
        left = math.inf if count is None else count
        while left > 0 and (block := file.read(int(min(left, BLOCK)))):
            self.sendall(block)
            left -= len(block)
        return file.tell() - offset

    def _wait(self, until: float) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        if not poll.poll(max(until - time.monotonic(), 0) * 1000):
            raise TimeoutError("The client does not read its answer.")

    def recv(self, size: int, flags: int = 0) -> bytes:
        return self._socket.recv(size, flags)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class Connection:
    """A connection and its deadline on the monotonic clock; `sock` is what gunicorn writes to."""

    def __init__(self, sock: Plain, client: Any, server: Any, limits: Limits, patience_s: float) -> None:
        self.socket, self.client, self.server = sock, client, server
        self.fd = sock.fileno()
        self.sock = Wire(sock, limits)
        self.arrival = Arrival(limits)
        self._limits, self._patience = limits, patience_s
        self.keep = True  # whether another request may follow the answer
        self.moved = 0.0
        self.deadline = math.inf
        self.state = State.IDLE
        self.enter(State.IDLE)

    def enter(self, state: State) -> None:
        self.state, self.moved = state, time.monotonic()
        allowed = {
            State.IDLE: self._patience,
            State.ARRIVING: self._limits.body_s if self.arrival.has_head else self._limits.head_s,
            State.BUSY: math.inf,
            State.ANSWERING: self._limits.answer_s,
            State.LEAVING: self._limits.farewell_s,
        }
        self.deadline = self.moved + allowed[state]

    def extend(self, size: int) -> None:
        """Give a client that sends or reads steadily the time for the rest."""
        self.deadline += size / self._limits.pace

    def unread(self) -> bytes:
        """What TLS has decrypted already and no poll would tell of; nothing without TLS."""
        return self.socket.unread() if isinstance(self.socket, SecureSocket) else b""

    def has_hung_up(self) -> bool:
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
