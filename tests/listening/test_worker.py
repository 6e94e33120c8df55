"""Slow, idle, greedy and rude clients of a real gunicorn: none of them hinders another, each is told what is wrong."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

GET = b"GET /echo HTTP/1.1\r\nHost: here\r\n\r\n"


@dataclass(frozen=True)
class Running:
    port: int
    process: subprocess.Popen[bytes]
    note: Path
    log: Path

    def connect(self, sent: bytes = b"") -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sendall(sent)
        return made

    def ask(self, path: str, body: bytes = b"", method: str = "POST") -> tuple[int, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(client):
            client.request(method, path, body)
            answer = client.getresponse()
            return answer.status, answer.read()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log, note = folder / "log", folder / "note"
    environment = os.environ | {"BIND": f"127.0.0.1:{port}", "NOTE": str(note)}
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:tests.listening.small_app",
        "tests.listening.small_app:app",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    running = Running(port, process, note, log)
    try:
        until = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                running.connect().close()
                break
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with server(tmp_path_factory.mktemp("listening")) as made:
        yield made


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server hangs up."""
    data = b""
    while more := connection.recv(65_536):
        data += more
    return data


def read_one(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the next answer; what comes behind it is left in the socket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, head
        head += byte
    length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])  # type: ignore[index]
    body = b""
    while len(body) < length:
        more = connection.recv(length - len(body))
        assert more, f"{len(body)} of {length} bytes came"
        body += more
    return int(head[9:12]), body


def problem(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"Connection: close" in head
    return dict(json.loads(body))


def test_a_connection_is_kept_and_requests_in_a_row_are_answered_in_order(running: Running) -> None:
    """Pipelined requests get their answers one after the other; one that came in part is waited for."""
    posts = [b"POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\n%03d" % i for i in range(20)]
    with running.connect(b"".join(posts)[:-2]) as client:
        assert [read_one(client) for _ in range(19)] == [(200, b"%03d" % i) for i in range(19)]
        client.sendall(b"19")
        assert read_one(client) == (200, b"019")
        client.sendall(b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert read_one(client) == (200, b"abc")


def test_whoever_says_close_is_hung_up_on(running: Running) -> None:
    """`Connection: close` and HTTP/1.0 are answered, then the connection ends."""
    for request in (GET.replace(b"Host: here", b"Connection: close"), b"GET /echo HTTP/1.0\r\n\r\n"):
        with running.connect(request) as client:
            assert read_all(client).startswith(b"HTTP/1.")


def test_slow_heads_and_bodies_are_refused_and_hinder_nobody(running: Running) -> None:
    """With ten slow-loris clients for each thread others are answered at once; the slow ones get 408 and are closed."""
    chunked = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na"
    starts = [GET[:20], b"POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", chunked]
    slow = [running.connect(starts[i % 3]) for i in range(20)]
    began = time.monotonic()
    assert running.ask("/echo", b"quick") == (200, b"quick")
    assert time.monotonic() - began < 0.7
    for number, client in enumerate(slow):
        with client:
            if number >= 3:
                with contextlib.suppress(OSError):
                    client.sendall(b"x")  # whoever dribbles wins nothing
            found = problem(read_all(client))
            assert (found["status"], found["code"]) == (408, "too-slow")


def test_idle_connections_give_way(running: Running) -> None:
    """More idle connections than are allowed are no obstacle: the oldest is closed for the new one."""
    idle = [running.connect() for _ in range(70)]
    assert running.ask("/echo", b"in") == (200, b"in")
    assert read_all(idle[0]) == b""
    for client in idle:
        client.close()


def test_an_idle_connection_is_closed_in_the_end(running: Running) -> None:
    """A client that says nothing is hung up on after the keep-alive time, without an answer."""
    with running.connect() as client:
        assert read_all(client) == b""


def test_too_much_is_refused_before_it_has_come(running: Running) -> None:
    """A body, or a head, above the limit is answered while it is still being sent, and the answer arrives."""
    with running.connect(b"POST /echo HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n") as client:
        with contextlib.suppress(OSError):
            for _ in range(20):
                client.sendall(b"x" * 65_536)
        found = problem(read_all(client))
        assert (found["status"], found["code"]) == (413, "too-large")
    with running.connect(b"GET / HTTP/1.1\r\n" + b"X: aaaaaaa\r\n" * 4000) as client:
        assert problem(read_all(client))["status"] == 431


def test_who_asks_whether_to_go_on_is_told_once(running: Running) -> None:
    """`Expect: 100-continue` is answered before the body, or with the refusal of a body that is too large."""
    head = b"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with running.connect(head % 4) as client:
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert read_one(client) == (200, b"body")
    with running.connect(head % 10**9) as client:
        assert problem(read_all(client))["status"] == 413


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /fail HTTP/1.1\r\n\r\n", 500),
    ],
)
def test_every_refusal_is_a_problem_document(running: Running, request_: bytes, status: int) -> None:
    """What is no HTTP, and an app that raises, are answered as problems, and the connection ends."""
    with running.connect(request_) as client:
        found = problem(read_all(client))
        assert found["status"] == status
        assert found["type"] == f"urn:explainer:problem:{found['code']}"


def test_more_than_can_be_answered_is_refused_at_once(running: Running) -> None:
    """When threads and line are full a request gets 503 with Retry-After within the time of one; health is answered."""
    busy = []
    for _ in range(5):
        busy.append(running.connect(b"POST /wait?s=1 HTTP/1.1\r\n\r\n"))
        time.sleep(0.06)
    with running.connect(GET) as late:
        began = time.monotonic()
        answer = late.recv(65_536)
        assert time.monotonic() - began < 0.5
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in answer
        assert b"Connection: keep-alive" in answer
        assert running.ask("/healthz", method="GET")[0] == 200
        for client in busy:
            assert read_one(client)[0] == 200
            client.close()
        late.sendall(GET)
        assert read_one(late)[0] == 200


def test_large_bodies_share_a_bounded_room(running: Running) -> None:
    """Beyond the room for large bodies a further one is refused with 503, small ones are not."""
    head = b"POST /echo HTTP/1.1\r\nContent-Length: 190000\r\n\r\n"
    held = [running.connect(head) for _ in range(2)]
    time.sleep(0.2)
    with running.connect(head) as third:
        assert problem(read_all(third))["code"] == "overloaded"
    assert running.ask("/echo", b"small") == (200, b"small")
    for client in held:
        client.close()


def test_who_does_not_read_its_answer_holds_no_thread(running: Running) -> None:
    """Answers that more clients than threads leave unread are kept aside; those that are read late arrive whole."""
    size = 6_000_000
    lazy = [running.connect(b"POST /many?bytes=%d HTTP/1.1\r\n\r\n" % size) for _ in range(4)]
    time.sleep(0.5)
    assert running.ask("/echo", b"quick") == (200, b"quick")
    assert len(read_one(lazy[0])[1]) == size
    time.sleep(2.5)
    with pytest.raises((AssertionError, OSError)):
        read_one(lazy[1])
    for client in lazy:
        client.close()


def test_the_app_can_see_that_its_client_has_gone(running: Running) -> None:
    """Peeking at `gunicorn.socket` tells who hung up from who waits or has sent its next request already."""
    running.note.unlink(missing_ok=True)
    request = b"POST /gone?s=1 HTTP/1.1\r\n\r\n"
    with running.connect(request + GET) as client:
        assert read_one(client)[0] == 200
        assert read_one(client)[0] == 200
    running.connect(request).close()
    until = time.monotonic() + 5
    while running.note.read_text().split() != ["there", "gone"]:
        assert time.monotonic() < until, running.note.read_text()
        time.sleep(0.05)


def test_a_request_whose_client_left_while_it_waited_is_dropped(running: Running) -> None:
    """Nobody computes for a client that hung up before a thread was free."""
    running.note.unlink(missing_ok=True)
    running.note.touch()
    busy = [running.connect(b"POST /wait?s=0.6 HTTP/1.1\r\n\r\n") for _ in range(2)]
    time.sleep(0.2)
    running.connect(b"POST /gone?s=0 HTTP/1.1\r\n\r\n").close()
    for client in busy:
        assert read_one(client)[0] == 200
        client.close()
    assert running.ask("/echo", b"next") == (200, b"next")
    assert running.note.read_text() == ""


def test_many_clients_at_once_get_their_own_answers(running: Running) -> None:
    """Eight threads with kept connections and bodies cut at random places read back what each of them sent."""
    wrong: list[object] = []

    def talk(number: int) -> None:
        with running.connect() as client:
            for i in range(100):
                body = b"%d-%d-" % (number, i) * (1 + i * 7)
                request = b"POST /echo HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                cut = (number * 31 + i * 17) % len(request)
                client.sendall(request[:cut])
                client.sendall(request[cut:])
                while (found := read_one(client))[0] == 503:
                    client.sendall(request)
                if found != (200, body):
                    wrong.append(found)

    talkers = [threading.Thread(target=talk, args=(n,)) for n in range(8)]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join(30)
    assert wrong == []


def test_a_stop_lets_the_begun_requests_end(tmp_path: Path) -> None:
    """After SIGTERM a running request and one that is still being sent are answered; the worker ends soon after."""
    with server(tmp_path) as running:
        assert running.ask("/echo", b"up") == (200, b"up")
        idle, working = running.connect(), running.connect(b"POST /wait?s=0.7 HTTP/1.1\r\n\r\n")
        partly = running.connect(b"POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(0.2)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        partly.sendall(b"cd")
        assert read_one(partly) == (200, b"abcd")
        assert read_one(working)[0] == 200
        assert read_all(idle) == b""
        assert running.process.wait(10) == 0
