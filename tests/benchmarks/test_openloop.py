"""The open-loop client times what callers would feel, also while a server stands still."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.service.openloop import OpenOutcome, OpenPlan, carried_out

STALL_S = 0.6


class Stalling(BaseHTTPRequestHandler):
    """Answers at once, but stands still for a while once; every tenth request is refused."""

    protocol_version = "HTTP/1.1"
    began = 0.0
    lock = threading.Lock()
    seen = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with Stalling.lock:
            Stalling.seen += 1
            Stalling.began = Stalling.began or time.monotonic()
            since = time.monotonic() - Stalling.began
            if 0.5 < since < 0.5 + STALL_S:
                time.sleep(0.5 + STALL_S - since)
            status = 503 if Stalling.seen % 10 == 0 else 200
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stalling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_requests_leave_while_the_server_stands_still(port: int) -> None:
    """Of 2 s at 100/s, all are sent; those due in a stall of 0.6 s were late by it: a closed loop would see few."""
    plan = OpenPlan(port, "/", ["{}"], 100.0, 2.0, [{"X-Caller": "a"}, {"X-Caller": "b"}], expect="ok")
    outcome = carried_out(plan)
    assert 130 < outcome.sent < 270
    assert len(outcome.accepted) + len(outcome.refused) == outcome.sent
    assert outcome.wrong == {}
    assert len(outcome.refused) == outcome.sent // 10
    delayed = sum(ms > 50 for ms in [*outcome.accepted, *outcome.refused])
    assert delayed > 25
    assert OpenOutcome.quantile(outcome.accepted, 0.99) > STALL_S * 1000 * 0.7


def test_quantiles_are_of_the_rising_list() -> None:
    """The quantile is an element of the list, and not a number where there is none."""
    assert OpenOutcome.quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert OpenOutcome.quantile([1.0], 0.99) == 1.0
    assert OpenOutcome.quantile([], 0.5) != OpenOutcome.quantile([], 0.5)
