"""A gunicorn worker whose threads only ever see whole requests: slow and idle clients cost a socket, not a thread."""

from __future__ import annotations

import resource
import threading
import time
from dataclasses import replace
from typing import Any

from gunicorn.http import RequestParser
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from explainer.listening.connection import Connection
from explainer.listening.limits import Limits
from explainer.listening.reception import Line, Reception
from explainer.listening.refusing import answer, translated
from explainer.listening.siblings import Siblings
from explainer.listening.tls import Certificate

SWEEP_S = 1.0
REPORT_S = 10.0
WAITED_S = 0.05  # a request that waited longer for its thread is dropped if its client has hung up meanwhile
SPARE_DESCRIPTORS = 256  # for files, databases and sockets of the app


def listening(limits: Limits, certificate: Certificate | None = None) -> type[ListeningWorker]:
    """The worker class with these limits, for gunicorn's `worker_class`; to be made before the workers are forked."""
    given = {"limits": limits, "siblings": Siblings(), "certificate": certificate}
    return type("ListeningWorker", (ListeningWorker,), given)


class ListeningWorker(ThreadWorker):  # type: ignore[misc]
    """`threads` threads run the app, one more answers health checks; the main thread does what can be waited for.

    Of gunicorn's threaded worker only `handle_request` is used, which is the same from gunicorn 23 to 27.
    """

    limits: Limits
    siblings: Siblings
    certificate: Certificate | None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if bool(cfg.is_ssl) != (cls.certificate is not None):
            raise ValueError("Name the certificate both to gunicorn and to this worker, or to neither.")

    def init_process(self) -> None:
        most = min(self.limits.connections, allow_descriptors() - SPARE_DESCRIPTORS)
        limits = replace(self.limits, connections=most)
        self.reception = Reception(limits, self.sockets, self.cfg.keepalive, self._others_have_fewer)
        self.reception.certificate = self.certificate
        self.swept = self.reported = time.monotonic()
        Worker.init_process(self)

    def handle_exit(self, sig: int, frame: object) -> None:
        Worker.handle_exit(self, sig, frame)

    def handle_quit(self, sig: int, frame: object) -> None:
        Worker.handle_quit(self, sig, frame)

    def _others_have_fewer(self, connections: int) -> bool:
        self.siblings.write(self.age, connections)
        fewest = self.siblings.fewest(self.age)
        return fewest is not None and fewest < connections

    def run(self) -> None:
        lines = [self.reception.waiting] * int(self.cfg.threads) + [self.reception.urgent]
        for number, line in enumerate(lines):
            threading.Thread(target=self._work, args=(line,), name=f"request-{number}", daemon=True).start()
        self.reception.watch(self.PIPE[0])  # a signal ends the turn
        while self.alive and self.is_parent_alive():
            self.reception.accept_more()
            self._turn()
        self._stop()
        for line in lines:
            line.put(None)

    def _turn(self) -> None:
        self.reception.turn(self.swept + SWEEP_S - time.monotonic())
        now = time.monotonic()
        if now >= self.swept + SWEEP_S:
            self.swept = now
            self.notify()
            self.reception.sweep()
            if self.certificate is not None:
                self.certificate.renew()
            self.siblings.write(self.age, len(self.reception.connections))
        if self.reception.refused and now >= self.reported + REPORT_S:
            self.log.warning("Refused before a thread saw them: %s", dict(self.reception.refused))
            self.reception.refused.clear()
            self.reported = now

    def _stop(self) -> None:
        """Take no more connections; answer what has begun, for `graceful_timeout` at most."""
        self.reception.accept_no_more()
        began = time.monotonic()
        while self.reception.connections and time.monotonic() < began + self.cfg.graceful_timeout:
            self._turn()
            if time.monotonic() > began + SWEEP_S:  # until then a request may be on its way
                self.reception.close_idle()
        for listener in self.sockets:
            listener.close()

    def _work(self, line: Line) -> None:
        while (connection := line.get()) is not None:
            late = time.monotonic() - connection.moved > WAITED_S
            try:
                if late and connection.has_hung_up():
                    self.reception.close(connection)
                    continue
                connection.keep = self._answer(connection)
                self.reception.hand_back(connection)
            except OSError as error:
                self.log.debug("A client has gone: %s", error)
                self.reception.close(connection)

    def _answer(self, connection: Connection) -> bool:
        """Run the app on the request; returns whether another may follow. Raises OSError when the client has gone."""
        connection.sock.begin()
        try:
            request = next(RequestParser(self.cfg, [connection.arrival.take()], connection.client))
            return bool(self.handle_request(request, connection))
        except (StopIteration, NoMoreData):
            return False
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            refusal = translated(error)
            if refusal.status >= 500:
                self.log.exception("Error handling request")
            self.reception.refused[refusal.code] += 1
            connection.sock.sendall(answer(refusal, close=True))
            return False


def allow_descriptors() -> int:
    """Raise the soft limit of open files to the hard one; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
