"""An open-loop HTTP/1.1 client: requests leave at their own times whether or not earlier ones were answered.

Times between requests are exponential, as with many callers that do not know of one another. A request's time counts
from the moment at which it was due, not from the moment at which a connection was free for it, so that a server that
stands still cannot hide what it cost (no coordinated omission). It runs as a process of its own (`python -m
benchmarks.service.openloop`: a plan as JSON on standard input, the outcome on standard output) with one thread.
"""

from __future__ import annotations

import json
import random
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle

from benchmarks.service.client import SEED, Connection, Plan, requests

CONNECTIONS = 400
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """Whom to ask for what at which rate; `headers` are taken in turn, as if by so many callers."""

    port: int
    path: str
    bodies: list[str]
    rate: float
    seconds: float
    headers: list[dict[str, str]]
    first_seed: int = 10**9
    expect: str = ""


@dataclass(slots=True)
class OpenOutcome:
    """Milliseconds from due to answered, each list in rising order."""

    sent: int = 0
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)  # with status 429 or 503
    wrong: dict[str, int] = field(default_factory=dict)
    behind_ms: float = 0.0  # the most by which a request left late
    busy: float = 0.0  # share of one core that the client took

    @staticmethod
    def quantile(times: list[float], q: float) -> float:
        return times[min(int(q * len(times)), len(times) - 1)] if times else float("nan")


def measured(plan: OpenPlan) -> OpenOutcome:
    """Carry out the plan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.service.openloop"],
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The open-loop client failed:\n{done.stderr}")
    return OpenOutcome(**json.loads(done.stdout))


class Clients:
    """Connections that are free or wait for an answer, and requests that are due and wait for a connection."""

    def __init__(self, plan: OpenPlan, selector: selectors.BaseSelector) -> None:
        self._plan, self._selector = plan, selector
        self._free: list[Connection] = []
        self._made = 0
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._due: dict[Connection, float] = {}
        self.outcome = OpenOutcome()

    @property
    def under_way(self) -> int:
        return len(self._due) + len(self._waiting)

    def send(self, due: float, request: bytes) -> None:
        self.outcome.sent += 1
        self._waiting.append((due, request))
        self._send_waiting()

    def read(self, connection: Connection) -> None:
        answer = connection.read()
        if answer is None:
            return
        status, body = answer
        took = (time.perf_counter() - self._due.pop(connection)) * 1e3
        if status == 200 and self._plan.expect.encode() in body:
            self.outcome.accepted.append(took)
        elif status in {429, 503}:
            self.outcome.refused.append(took)
        else:
            self._note(f"status {status}" if status != 200 else f"without {self._plan.expect}")
        self._free.append(connection)
        self._send_waiting()

    def give_up(self) -> None:
        for _ in range(self.under_way):
            self._note(f"not answered within {PATIENCE_S:.0f} s")

    def _send_waiting(self) -> None:
        while self._waiting and (self._free or self._made < CONNECTIONS):
            due, request = self._waiting.popleft()
            if self._free:
                connection = self._free.pop()
            else:
                connection, self._made = Connection(self._plan.port, self._selector), self._made + 1
            self._due[connection] = due
            self.outcome.behind_ms = max(self.outcome.behind_ms, (time.perf_counter() - due) * 1e3)
            connection.ask(request)

    def _note(self, kind: str) -> None:
        self.outcome.wrong[kind] = self.outcome.wrong.get(kind, 0) + 1


def templates(plan: OpenPlan) -> Iterator[bytes]:
    """Requests without end; callers and bodies in turn."""
    of_caller = [
        cycle(requests(Plan(plan.port, plan.path, plan.bodies, 1, 0.0, headers=headers))) for headers in plan.headers
    ]
    for number, caller in enumerate(cycle(of_caller)):
        yield next(caller).replace(SEED, b"%d" % (plan.first_seed + number))


def carried_out(plan: OpenPlan) -> OpenOutcome:
    chance = random.Random(plan.first_seed)
    effort = time.process_time()
    with selectors.DefaultSelector() as selector:
        clients, following = Clients(plan, selector), templates(plan)
        began = due = time.perf_counter()
        while (now := time.perf_counter()) < began + plan.seconds or clients.under_way:
            if now > began + plan.seconds + PATIENCE_S:
                clients.give_up()
                break
            while due <= min(now, began + plan.seconds):
                clients.send(due, next(following))
                due += chance.expovariate(plan.rate)
            wait = due - time.perf_counter() if due < began + plan.seconds else 0.1
            for key, _ in selector.select(max(wait, 0)):
                clients.read(key.data)
        seconds = time.perf_counter() - began
    outcome = clients.outcome
    outcome.accepted.sort()
    outcome.refused.sort()
    outcome.busy = (time.process_time() - effort) / seconds
    return outcome


if __name__ == "__main__":
    json.dump(asdict(carried_out(OpenPlan(**json.load(sys.stdin)))), sys.stdout)
