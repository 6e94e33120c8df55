"""The clean parent of all workers: preloads once, forks a worker for each socket it is handed, reports every end.

It speaks JSON datagrams over the socket given as `--control`: `fork`, `kill` and `spare` come in; `ready`, `forked` and
`ended` go out. When the control socket closes, it ends and takes its workers with it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import signal
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from explainer.workers.child import CloseIn, close_in, live
from explainer.workers.limits import adopt_orphans, allow_cpu, end_with_parent, give_way
from explainer.workers.ports import Opener
from explainer.workers.preload import prepared, unfit

KEPT_OUTPUT: Final = 8192  # bytes of a worker's last output that are kept
LONGEST: Final = 65536


@dataclass(slots=True)
class Child:
    """A living worker: its number, and the end of the pipe that its output is read from."""

    number: int
    pipe: int
    output: bytes = b""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every worker of a nursery is given."""

    opener: Opener
    close_in: CloseIn
    allow: Callable[[], None]


class Nursery:
    """Forks workers and spares of itself; single-threaded, so that a fork is safe."""

    def __init__(self, control: socket.socket, terms: Terms) -> None:
        self._control = control
        self._terms = terms
        self._children: dict[int, Child] = {}
        self._spares: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, self._obey)
        self._woken, self._waker = _wake_on_child()
        self._selector.register(self._woken, selectors.EVENT_READ, self._reap)
        adopt_orphans()

    def run(self, began: float) -> None:
        """Work until the control socket closes."""
        self._tell({"ready": os.getpid(), "seconds": time.monotonic() - began, "unfit": unfit()})
        try:
            while True:
                for key, _ in self._selector.select():
                    key.data()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            for pid in self._children:
                _kill_group(pid)

    def _obey(self) -> None:
        raw, handed, _, _ = socket.recv_fds(self._control, LONGEST, 1)
        if not raw:
            raise EOFError
        order = orjson.loads(raw)
        sock = socket.socket(fileno=handed[0]) if handed else None
        if order["do"] == "kill":
            for pid in [pid for pid, child in self._children.items() if child.number == order["number"]]:
                _kill_group(pid)
        elif sock is not None and order["do"] == "fork":
            self._fork(order["number"], sock)
        elif sock is not None:
            self._spare(sock)

    def _fork(self, number: int, sock: socket.socket) -> None:
        parent, (read_end, write_end) = os.getpid(), os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                end_with_parent(parent)
                give_way()
                os.close(read_end)
                _redirect(write_end)
                self._forget()
                live(sock, self._terms.opener, self._terms.close_in, self._terms.allow)
            finally:
                traceback.print_exc()  # only an error leads here: `live` ends the process
                os._exit(1)
        os.close(write_end)
        sock.close()
        os.set_blocking(read_end, False)
        self._children[pid] = Child(number, read_end)
        self._selector.register(read_end, selectors.EVENT_READ, lambda: self._drain(pid))
        self._tell({"forked": number, "pid": pid})

    def _spare(self, control: socket.socket) -> None:
        """Fork a nursery that is ready at once and takes over should this one be killed."""
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                self._forget()
                Nursery(control, self._terms).run(time.monotonic())
                os._exit(0)
            finally:
                os._exit(1)
        control.close()
        self._spares.add(pid)

    def _forget(self) -> None:
        """In a fork: let go of everything that belongs to the parent."""
        signal.set_wakeup_fd(-1)  # Python 3.13 has let go of it in the fork and returns no number to close
        self._waker.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        self._woken.close()
        self._control.close()
        for child in self._children.values():
            os.close(child.pipe)

    def _drain(self, pid: int) -> None:
        child = self._children.get(pid)
        if child is None:  # buried by an earlier event of the same round
            return
        with contextlib.suppress(BlockingIOError):
            data = os.read(child.pipe, LONGEST)
            child.output = (child.output + data)[-KEPT_OUTPUT:]
            if not data:
                self._unwatch(child)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(LONGEST)
        while (pid := _first_ended()) is not None:
            if pid in self._children:
                _kill_group(pid)  # what the worker started and left behind, while its number is not yet given anew
            _, status = os.waitpid(pid, 0)
            self._spares.discard(pid)
            if pid in self._children:
                self._bury(pid, status)
        self._end_strays()

    def _bury(self, pid: int, status: int) -> None:
        self._drain(pid)
        child = self._children.pop(pid)
        self._unwatch(child)
        os.close(child.pipe)
        code = os.waitstatus_to_exitcode(status)
        self._tell({"ended": child.number, "code": code, "output": child.output.decode(errors="replace")})

    def _unwatch(self, child: Child) -> None:
        if child.pipe in self._selector.get_map():
            self._selector.unregister(child.pipe)

    def _end_strays(self) -> None:
        """Kill processes that workers started, detached and left to this one."""
        listing = Path(f"/proc/self/task/{os.getpid()}/children")
        if listing.exists():
            for pid in map(int, listing.read_text().split()):
                if pid not in self._children and pid not in self._spares:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    def _tell(self, news: dict[str, Any]) -> None:
        self._control.send(orjson.dumps(news))


def _wake_on_child() -> tuple[socket.socket, socket.socket]:
    """Return the receiving and the sending end of what wakes the selector when a child ends."""
    receiving, sending = socket.socketpair()
    receiving.setblocking(False)
    sending.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
    return receiving, sending


def _first_ended() -> int | None:
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found is not None else None


def _kill_group(pid: int) -> None:
    for end in (os.killpg, os.kill):  # the group may not exist yet: a worker makes it just after the fork
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


def _redirect(write_end: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(write_end, 1)
    os.dup2(write_end, 2)
    os.close(write_end)


def main() -> None:
    began = time.monotonic()
    parser = argparse.ArgumentParser(prog="nursery")
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--opener", required=True)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--cpu-s", type=float, required=True)
    parser.add_argument("--no-sandbox", action="store_true")
    given = parser.parse_args()
    terms = Terms(
        prepared(given.opener),
        partial(close_in, memory_mb=given.memory_mb, sandbox=not given.no_sandbox),
        partial(allow_cpu, given.cpu_s),
    )
    control = socket.socket(fileno=given.control)
    control.set_inheritable(False)
    Nursery(control, terms).run(began)
