"""The loop that accepts, reads, writes and times out every connection, and puts whole requests in line."""

from __future__ import annotations

import errno
import os
import queue
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from explainer.errors import ExplainerError, TooSlow
from explainer.listening.connection import Connection, State
from explainer.listening.limits import Limits
from explainer.listening.refusing import Crowded, answer
from explainer.listening.tls import Certificate

READ_BYTES = 262_144
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
URGENT = (b"GET /healthz", b"GET /readyz", b"GET /metrics")  # answered even while every thread is busy
IN, OUT = select.EPOLLIN | select.EPOLLONESHOT, select.EPOLLOUT | select.EPOLLONESHOT
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

YIELD_S = 0.0005
Fewer = Callable[[int], bool]  # whether another process has fewer connections than so many
Line = queue.SimpleQueue[Connection | None]


class Reception:
    """`turn` is called over and over by one thread, which alone touches a connection unless it is BUSY.

    A BUSY connection belongs to the thread that took it out of `waiting` or `urgent`, until it calls `hand_back` or
    `close`. The lock holds state and registration together, so that nobody closes what is just being handed back.
    """

    def __init__(self, limits: Limits, listeners: Sequence[socket.socket], idle_s: float, has_fewer: Fewer) -> None:
        self.limits, self._idle_s, self._has_fewer = limits, idle_s, has_fewer
        self.waiting: Line = queue.SimpleQueue()
        self.urgent: Line = queue.SimpleQueue()
        self.refused: Counter[str] = Counter()
        self.connections: dict[int, Connection] = {}
        self._listeners = {s.fileno(): s for s in listeners}
        self._epoll = select.epoll()
        self._lock = threading.Lock()
        self._accepting = False
        self._bell = -1
        self.certificate: Certificate | None = None  # what makes connections secret

    def watch(self, fd: int) -> None:
        """End a turn when something comes here; it is thrown away."""
        self._bell = fd
        self._epoll.register(fd, select.EPOLLIN)

    def turn(self, seconds: float) -> None:
        """Wait for something to happen, at most so long, and deal with it."""
        for fd, _ in self._epoll.poll(max(seconds, 0)):
            if fd in self._listeners:
                self._accept(self._listeners[fd])
            elif (connection := self.connections.get(fd)) is not None:
                self._go_on(connection)
            elif fd == self._bell:
                os.read(fd, 4096)

    def accept_more(self) -> None:
        if not self._accepting:
            for fd, listener in self._listeners.items():
                listener.setblocking(False)
                self._epoll.register(fd, select.EPOLLIN)
        self._accepting = True

    def accept_no_more(self) -> None:
        if self._accepting:
            for fd in self._listeners:
                self._epoll.unregister(fd)
        self._accepting = False

    def sweep(self) -> None:
        """End what is over its time."""
        now = time.monotonic()
        for connection in list(self.connections.values()):
            if connection.deadline < now:
                if connection.state is State.ARRIVING:
                    self._refuse_late(connection)
                else:
                    self.close(connection)

    def close_idle(self) -> None:
        for connection in list(self.connections.values()):
            with self._lock:
                if connection.state is State.IDLE:
                    self.close(connection)

    def hand_back(self, connection: Connection) -> None:
        """After an answer: send what is left of it, then wait for the next request, begin it, or hang up."""
        owed = connection.sock.owed
        if not connection.sock.flush():
            if connection.state is State.ANSWERING:
                connection.extend(owed - connection.sock.owed)
                self._epoll.modify(connection.fd, OUT)
            else:
                self._await(connection, State.ANSWERING)
        elif not connection.keep:
            connection.socket.shutdown(socket.SHUT_WR)
            self._await(connection, State.LEAVING)
        elif (more := connection.unread()) or connection.arrival.begun:  # the next request came with the last one
            self._take_in(connection, more)
        else:
            self._await(connection, State.IDLE)

    def close(self, connection: Connection) -> None:
        """Closing a socket takes it out of epoll as well."""
        self.connections.pop(connection.fd, None)
        connection.socket.close()

    def _accept(self, listener: socket.socket) -> None:
        """Take one connection in, if need be in the place of the one that has been idle longest."""
        if len(self.connections) >= self.limits.connections and not self._make_room():
            self.accept_no_more()
            return
        if self._has_fewer(len(self.connections)):
            time.sleep(YIELD_S)  # it is woken as well, and gets there first unless it is busy
        try:
            sock, client = listener.accept()
            sock.setblocking(False)
            wire = sock if self.certificate is None else self.certificate.wrap(sock)
        except OSError as error:  # it has gone, another process took it, or there are too many open files
            if error.errno in EXHAUSTED and not self._make_room():
                self.accept_no_more()
            return
        connection = Connection(wire, client, listener.getsockname(), self.limits, self._idle_s)
        self.connections[connection.fd] = connection
        self._epoll.register(connection.fd, IN)

    def _make_room(self) -> bool:
        with self._lock:
            for state in (State.LEAVING, State.IDLE, State.ARRIVING):
                if found := [c for c in list(self.connections.values()) if c.state is state]:
                    self.close(min(found, key=lambda c: c.moved))
                    return True
        return False

    def _go_on(self, connection: Connection) -> None:
        try:
            if connection.state is State.ANSWERING:
                self.hand_back(connection)
            elif not (data := connection.socket.recv(READ_BYTES)):
                self.close(connection)
            elif connection.state is State.LEAVING:  # closing with unread bytes would take the answer from the client
                self._epoll.modify(connection.fd, IN)
            else:
                self._take_in(connection, data)
        except BlockingIOError:
            self._epoll.modify(connection.fd, IN)
        except OSError:  # the client has gone
            self.close(connection)

    def _take_in(self, connection: Connection, data: bytes) -> None:
        """Let the request grow by these bytes; hand it on when it is whole, refuse it when it cannot become so."""
        arrival = connection.arrival
        had_head, claimed = arrival.has_head, arrival.claim
        try:
            arrival.feed(data)
            self._check_held(connection, claimed)
            if arrival.whole:
                self._hand_on(connection)
                return
        except ExplainerError as error:
            self._refuse(connection, error)
            return
        if arrival.has_head and not had_head and arrival.expects_continue:
            connection.socket.send(CONTINUE)
        if arrival.has_head is had_head and connection.state is State.ARRIVING:
            connection.extend(len(data) if had_head else 0)
            self._epoll.modify(connection.fd, IN)
        else:
            self._await(connection, State.ARRIVING if arrival.begun else State.IDLE)

    def _check_held(self, connection: Connection, claimed: int) -> None:
        """Raises Crowded when a large body begins and no room is left for it."""
        small = self.limits.small_bytes
        if claimed <= small < connection.arrival.claim:
            held = sum(c.arrival.claim for c in list(self.connections.values()) if c.arrival.claim > small)
            if held > self.limits.held_bytes:
                raise Crowded("Too many large requests are under way; send it again in a moment.")

    def _hand_on(self, connection: Connection) -> None:
        """Put a whole request in line; raises Crowded when the line is long enough."""
        line = self.urgent if connection.arrival.buffer.startswith(URGENT) else self.waiting
        if line.qsize() >= self.limits.backlog:
            raise Crowded("More requests are waiting than can be answered soon; send it again in a moment.")
        connection.enter(State.BUSY)
        line.put(connection)

    def _refuse(self, connection: Connection, error: ExplainerError) -> None:
        """Answer without a thread; after a request that is whole and the only one the connection may go on."""
        self.refused[error.code] += 1
        connection.keep = connection.arrival.whole
        if connection.keep:
            connection.arrival.take()
            connection.keep = not connection.arrival.begun
        connection.sock.begin()
        try:
            connection.sock.sendall(answer(error, close=not connection.keep))
            self.hand_back(connection)
        except OSError:  # the client has gone
            self.close(connection)

    def _refuse_late(self, connection: Connection) -> None:
        part = "body" if connection.arrival.has_head else "head"
        self._refuse(connection, TooSlow(f"The request's {part} did not come in time; send it again."))

    def _await(self, connection: Connection, state: State) -> None:
        with self._lock:
            connection.enter(state)
            self._epoll.modify(connection.fd, OUT if state is State.ANSWERING else IN)
