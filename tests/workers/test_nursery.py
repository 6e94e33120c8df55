"""The nursery's own protocol, spoken to the real process without the web process's side of it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from explainer.workers import codec
from explainer.workers.environment import BEGIN, nursery_environment
from explainer.workers.frames import Frame, receive, send
from tests.workers import fake_models as fake
from tests.workers.fakes import OPENER, order_of, row
from tests.workers.processes import lives, until


class Talk:
    def __init__(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        options = ["--control", str(theirs.fileno()), "--opener", OPENER, "--memory-mb", "1024", "--cpu-s", "60"]
        command = [sys.executable, "-P", "-c", BEGIN, *options]
        with theirs:
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=nursery_environment())
        self.control.settimeout(60)

    def hear(self) -> dict[str, Any]:
        news: dict[str, Any] = orjson.loads(self.control.recv(65536))
        return news

    def say(self, order: dict[str, Any], handed: socket.socket | None = None) -> None:
        socket.send_fds(self.control, [orjson.dumps(order)], [handed.fileno()] if handed else [])

    def fork(self, number: int) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()
        with theirs:
            self.say({"do": "fork", "number": number}, theirs)
        news = self.hear()
        assert news["forked"] == number
        ours.settimeout(20)
        return ours, news["pid"]


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    talk = Talk()
    ready = talk.hear()
    assert ready["ready"] == talk.process.pid
    assert ready["unfit"] == []
    yield talk
    talk.control.close()
    talk.process.wait(20)


def test_a_forked_worker_answers_and_its_end_is_told(talk: Talk) -> None:
    """A handed socket is served by a process of its own; when the socket closes it ends with status 0."""
    sock, pid = talk.fork(1)
    assert pid != talk.process.pid
    send(sock, Frame("ping", number=3))
    answer = receive(sock)
    assert (answer.kind, answer.body, answer.number) == ("pong", {"pid": pid}, 3)
    sock.close()
    assert talk.hear() == {"ended": 1, "code": 0, "output": ""}
    until(lambda: not lives(pid))


def test_workers_are_killed_by_number(talk: Talk) -> None:
    """`kill` ends the worker of that number only; a number that is gone is no error."""
    first, _ = talk.fork(2)
    second, pid = talk.fork(3)
    talk.say({"do": "kill", "number": 2})
    talk.say({"do": "kill", "number": 2})
    news = talk.hear()
    assert (news["ended"], news["code"]) == (2, -9)
    assert lives(pid)
    first.close()
    second.close()
    assert talk.hear()["ended"] == 3


def test_only_the_end_of_the_output_is_kept(talk: Talk) -> None:
    """Of 50 MB that a worker prints the last 8 kB are told when it ends."""
    sock, _ = talk.fork(4)
    send(sock, codec.order_frame(order_of()))
    receive(sock)
    send(sock, codec.predict_frame(row(fake.PRINT)))
    receive(sock)
    sock.close()
    assert talk.hear()["output"] == "x" * 8192


def test_it_ends_when_the_control_socket_closes() -> None:
    """Without the web process the nursery ends with status 0, and so do its workers."""
    talk = Talk()
    talk.hear()
    _, pid = talk.fork(1)
    talk.control.close()
    assert talk.process.wait(20) == 0
    until(lambda: not lives(pid))
