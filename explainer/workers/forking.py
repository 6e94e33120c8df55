"""The web process's side of the nursery: start it, have workers forked, keep a spare, start anew when both are gone."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import orjson

from explainer.errors import NotReady
from explainer.workers.client import Worker
from explainer.workers.environment import BEGIN, nursery_environment
from explainer.workers.health import BLAMELESS, KILLED, OWN_DOING

log = logging.getLogger(__name__)

LONGEST: Final = 65536
STOPPING_S: Final = 5.0


class Link:
    """A connection to one nursery; a thread listens to its news."""

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None, gone: Callable[[Link], None]):
        self.pid: int | None = process.pid if process else None
        self.ready = threading.Event()
        self.gone = threading.Event()
        self._control = control
        self._process = process
        self._when_gone = gone
        self._workers: dict[int, Worker] = {}
        self._lock = threading.Lock()

    def listen(self, when_ready: Callable[[Link], None]) -> None:
        threading.Thread(target=self._listen, args=(when_ready,), name="nursery", daemon=True).start()

    def fork(self, number: int) -> Worker:
        """Have a worker forked; it may be asked at once and answers when it lives. OSError when the link is gone."""
        ours, theirs = socket.socketpair()
        worker = Worker(number, ours, self._kill)
        with self._lock:
            self._workers[number] = worker
        try:
            self._say({"do": "fork", "number": number}, theirs)
        except OSError:
            self._workers.pop(number, None)
            ours.close()
            raise
        finally:
            theirs.close()
        if self.gone.is_set():  # it went while we asked: nobody else may tell this worker
            self._bury(number, "its nursery ended", blame=BLAMELESS)
        return worker

    def spare(self, control: socket.socket) -> None:
        self._say({"do": "spare"}, control)

    def stop(self) -> None:
        """Ask the nursery to end with all its workers, and wait until it has."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        if not self.gone.wait(STOPPING_S) and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.gone.wait(STOPPING_S)

    def _kill(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self._say({"do": "kill", "number": number})

    def _say(self, order: dict[str, Any], handed: socket.socket | None = None) -> None:
        with self._lock:
            socket.send_fds(self._control, [orjson.dumps(order)], [handed.fileno()] if handed else [])

    def _listen(self, when_ready: Callable[[Link], None]) -> None:
        with contextlib.suppress(OSError):
            while raw := self._control.recv(LONGEST):
                self._hear(orjson.loads(raw), when_ready)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self.gone.set()
        self._control.close()
        for number in list(self._workers):
            self._bury(number, "its nursery ended", blame=BLAMELESS)
        self._when_gone(self)

    def _hear(self, news: dict[str, Any], when_ready: Callable[[Link], None]) -> None:
        if "ready" in news:
            self.pid = news["ready"]
            for problem in news["unfit"]:
                log.error("the nursery is not fit to fork: %s", problem)
            log.info("nursery %s is ready after %.2f s", self.pid, news["seconds"])
            self.ready.set()
            when_ready(self)
        elif "forked" in news:
            if worker := self._workers.get(news["forked"]):
                worker.pid = news["pid"]
        else:
            blame = KILLED if news["code"] == -signal.SIGKILL else OWN_DOING
            self._bury(news["ended"], _in_words(news["code"]), news["output"], blame=blame)

    def _bury(self, number: int, how: str, output: str = "", *, blame: int = OWN_DOING) -> None:
        with self._lock:
            worker = self._workers.pop(number, None)
        if worker is not None:
            worker.end(how, output, blame=blame)


class Forker:
    """Gives workers; when its nursery is killed the spare takes over, and when both are gone a new one is started."""

    def __init__(self, opener: str, *, memory_mb: int, cpu_s: float, sandbox: bool) -> None:
        """`cpu_s`: processor time that a worker may use between two questions."""
        limits = ["--memory-mb", str(memory_mb), "--cpu-s", str(cpu_s)]
        self._arguments = ["--opener", opener, *limits, *([] if sandbox else ["--no-sandbox"])]
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._main: Link | None = None
        self._spare: Link | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the nursery without waiting until it is ready."""
        with self._lock:
            self._living()

    def fork(self) -> Worker:
        """Return a new worker; raises NotReady when everything has been stopped."""
        while True:
            with self._lock:
                link = self._living()
            with contextlib.suppress(OSError):
                return link.fork(next(self._numbers))
            link.gone.wait(STOPPING_S)

    def pids(self) -> list[int]:
        """Process numbers of the nursery and its spare, as far as they have reported."""
        with self._lock:
            return [link.pid for link in (self._main, self._spare) if link is not None and link.pid is not None]

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            links = [link for link in (self._spare, self._main) if link is not None]
        for link in links:
            link.stop()

    def _living(self) -> Link:
        if self._stopped:
            raise NotReady("The service is stopping.")
        if self._main is None or self._main.gone.is_set():
            spare, self._spare = self._spare, None
            self._main = spare if spare is not None and not spare.gone.is_set() else self._started()
            if self._main is spare:
                self._when_ready(spare)
        return self._main

    def _started(self) -> Link:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-c", BEGIN, "--control", str(theirs.fileno())]
        with theirs:
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [*command, *self._arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=nursery_environment(),
                start_new_session=True,
            )
        link = Link(ours, process, self._when_gone)
        link.listen(self._when_ready)
        return link

    def _when_ready(self, link: Link) -> None:
        """Have the main nursery make a spare of itself, which shares its memory and is ready at once."""
        with self._lock:
            if self._stopped or link is not self._main or (self._spare is not None and not self._spare.gone.is_set()):
                return
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                try:
                    link.spare(theirs)
                except OSError:
                    ours.close()
                    return
            self._spare = Link(ours, None, self._when_gone)
            self._spare.listen(lambda _: None)

    def _when_gone(self, link: Link) -> None:
        with self._lock:
            if self._stopped:
                return
            log.warning("nursery %s ended", link.pid)
            if link is self._spare and self._main is not None:
                self._spare = None
                self._when_ready(self._main)


def _in_words(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
