"""A closed-loop HTTP/1.1 client: every connection asks again as soon as it is answered, and each answer is timed.

It runs as a process of its own (`python -m benchmarks.service.client`: a plan as JSON on standard input, the outcome on
standard output), with one thread over all connections, so that it takes little of the processor that it shares.
A connection is kept as long as the server keeps it; where the server closes it, connecting again is part of the time.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import count

SEED = b"@@@@@@@@@@"  # ten characters of a body that become a number not sent before
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is asked what by how many: for `seconds`, but at least `least` and at most `most` requests."""

    port: int
    path: str
    bodies: list[str]
    clients: int
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)
    first_seed: int = 10**9
    least: int = 1
    most: int = 20_000
    expect: str = ""  # what every right answer contains


@dataclass(frozen=True, slots=True)
class Outcome:
    """Milliseconds of the right answers in rising order, the seconds all took, what went wrong, and our own effort."""

    latencies: list[float]
    seconds: float
    refused: int  # politely, with status 429 or 503
    wrong: dict[str, int]
    busy: float  # share of one core that the client took

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, q: float) -> float:
        return self.latencies[min(int(q * len(self.latencies)), len(self.latencies) - 1)]


def measured(plan: Plan) -> Outcome:
    """Carry out the plan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.service.client"],
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The client failed:\n{done.stderr}")
    return Outcome(**json.loads(done.stdout))


class Connection:
    """One client: at most one request under way."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port, self._selector = port, selector
        self._socket: socket.socket | None = None
        self._buffer = b""
        self.began = 0.0

    def ask(self, request: bytes) -> None:
        self.began, self._buffer = time.perf_counter(), b""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(request)

    def read(self) -> tuple[int, bytes] | None:
        """Status and body once they are there; status 0 when the server hung up before."""
        assert self._socket is not None
        data = self._socket.recv(262_144)
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if not data:
            self._close()
            return 0, b""
        if end < 0:
            return None
        length = LENGTH.search(self._buffer, 0, end)
        body = self._buffer[end + 4 :]
        if length is None or len(body) < int(length[1]):
            return None
        if CLOSE.search(self._buffer, 0, end + 2):
            self._close()
        return int(self._buffer[9:12]), body

    def _close(self) -> None:
        assert self._socket is not None
        self._selector.unregister(self._socket)
        self._socket.close()
        self._socket = None


def requests(plan: Plan) -> list[bytes]:
    """The requests in the order in which they are sent, over and over."""
    fixed = {"Host": "127.0.0.1", "Content-Type": "application/json", **plan.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
    bodies = [body.encode() for body in plan.bodies]
    return [
        f"POST {plan.path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies
    ]


def carried_out(plan: Plan) -> Outcome:
    templates, expect = requests(plan), plan.expect.encode()
    sent, right, refused, wrong = count(), [], 0, dict[str, int]()
    with selectors.DefaultSelector() as selector:
        began, effort = time.perf_counter(), time.process_time()
        until = began + plan.seconds

        def go_on(connection: Connection) -> bool:
            n = next(sent)
            if n >= plan.most or (n >= plan.least and time.perf_counter() >= until):
                return False
            connection.ask(templates[n % len(templates)].replace(SEED, b"%d" % (plan.first_seed + n)))
            return True

        under_way = sum(go_on(Connection(plan.port, selector)) for _ in range(plan.clients))
        while under_way:
            ready = selector.select(PATIENCE_S)
            if not ready:
                raise TimeoutError(f"{under_way} requests were not answered within {PATIENCE_S:.0f} s")
            for key, _ in ready:
                answer = key.data.read()
                if answer is None:
                    continue
                status, body = answer
                if status == 200 and expect in body:
                    right.append((time.perf_counter() - key.data.began) * 1e3)
                elif status in {429, 503}:
                    refused += 1
                else:
                    kind = f"status {status}" if status != 200 else f"without {plan.expect}"
                    wrong[kind] = wrong.get(kind, 0) + 1
                under_way -= not go_on(key.data)
        seconds = time.perf_counter() - began
    return Outcome(sorted(right), seconds, refused, wrong, (time.process_time() - effort) / seconds)


if __name__ == "__main__":
    json.dump(asdict(carried_out(Plan(**json.load(sys.stdin)))), sys.stdout)
