"""Clients that are idle, slow, greedy or confused: each is answered in words or hung up on, the others never notice."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import processes
from tests.faults.conftest import Running
from tests.faults.load import is_clear

PATH = "/api/v1/models/steady/explain"


def head(running: Running, *more: str) -> bytes:
    """The head of a request for explanations, with further header lines."""
    given = [f"Authorization: Bearer {running.service.key}", "Content-Type: application/json"]
    return "\r\n".join([f"POST {PATH} HTTP/1.1", "Host: here", *given, *more, "", ""]).encode()


@contextlib.contextmanager
def connected(running: Running, number: int) -> Iterator[list[socket.socket]]:
    """So many open connections that say nothing yet."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, number + 500)), hard))
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=30))
            for _ in range(number)
        ]


def answer_of(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and document of what comes until the server hangs up."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := connection.recv(65_536):
            data += more
    top, _, body = data.partition(b"\r\n\r\n")
    return int(top[9:12]), json.loads(body)


def calm(running: Running, seconds: float) -> None:
    """Two clients are answered rightly all the time, none of them waits for long."""
    with running.load(clients=2) as load:
        time.sleep(seconds)
    assert (load.wrong, load.refused, load.broken) == ([], [], [])
    gaps = [b - a for a, b in zip(load.right, load.right[1:], strict=False)]
    assert len(load.right) > 5
    assert max(gaps) < 5


def test_a_thousand_idle_connections_hinder_nobody(running: Running) -> None:
    """With 1,000 silent connections open others are answered as before, and memory stays where it was."""
    web = running.roles()["web"]
    before = sum(map(processes.memory_mb, web))
    with connected(running, 1000):
        calm(running, 2)
        assert sum(map(processes.memory_mb, web)) < before + 60


def test_slow_loris_heads_and_bodies_hinder_nobody(running: Running) -> None:
    """300 clients that dribble heads and bodies hold no thread; a head that takes over 10 s is refused with 408."""
    body = head(running, "Content-Length: 5000") + b'{"inst'
    chunks = head(running, "Transfer-Encoding: chunked") + b"ff\r\n{"
    starts = [head(running)[:40], body, chunks]
    with connected(running, 300) as slow:
        for number, client in enumerate(slow):
            client.sendall(starts[number % 3])
        began = time.monotonic()
        for _ in range(4):
            calm(running, 0.5)
            for client in slow:
                client.sendall(b" ")
        for client in slow[::3][:5]:
            status, answer = answer_of(client)
            assert (status, answer["code"]) == (408, "too-slow")
            assert is_clear(status, answer)
        assert time.monotonic() - began < 40


@pytest.mark.parametrize("how", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_body_of_100_megabytes_is_refused_before_it_has_come(running: Running, how: str) -> None:
    """It is answered 413 and hung up on; the service's memory does not grow by it."""
    chunked = "chunked" in how
    web = running.roles()["web"]
    before = sum(map(processes.memory_mb, web))
    with connected(running, 1) as (client,):
        client.sendall(head(running, how))
        with contextlib.suppress(OSError):
            for _ in range(100):
                client.sendall(b"f4240\r\n" * chunked + b" " * 1_000_000 + b"\r\n" * chunked)
        status, answer = answer_of(client)
    assert (status, answer["code"]) == (413, "too-large")
    assert is_clear(status, answer)
    assert sum(map(processes.memory_mb, web)) < before + 40


BODIES = {
    "nested 100,000 deep": b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested in objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a key twice": b'{"instances": [[1, 2, 3]], "instances": [[4, 5, 6]]}',
    "a feature twice": b'{"instances": [{"a": 1, "a": 2, "b": 3, "c": 4}]}',
    "seven megabytes of keys": b'{"instances": [[1, 2, 3]], '
    + b", ".join(b'"k%d": 1' % i for i in range(500_000))
    + b"}",
    "a number of a million digits": b'{"instances": [[' + b"9" * 1_000_000 + b", 2, 3]]}",
}


@pytest.mark.parametrize("body", BODIES)
def test_hostile_json_is_refused(running: Running, body: str) -> None:
    """A 4xx says what is wrong, soon, and others are answered meanwhile."""
    with running.load(clients=2) as load:
        began = time.monotonic()
        answer = running.service.call("POST", PATH, raw=BODIES[body])
        assert answer.status in {400, 413, 422}, answer.body
        assert is_clear(answer.status, answer.body)
        assert time.monotonic() - began < 20
        processes.until(lambda: load.answered_after(began))
    assert (load.wrong, load.refused, load.broken) == ([], [], [])


def test_clients_that_leave_cost_nothing(running: Running) -> None:
    """Requests whose clients hang up at once, by the hundred, leave the service well and its memory where it was."""
    row = json.dumps({"instances": [[1.0, 2.0, 3.0]]}).encode()
    request = head(running, f"Content-Length: {len(row)}") + row
    web = running.roles()["web"]
    before = sum(map(processes.memory_mb, web))
    for _ in range(5):
        with connected(running, 100) as clients:
            for client in clients:
                client.sendall(request)
    processes.until(running.is_well)
    assert sum(map(processes.memory_mb, web)) < before + 60
