"""Rounds of kill -9 under load: is any answer wrong, is anything acknowledged lost, how long until all is well."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from benchmarks.service.cases import Case, Row
from benchmarks.service.measuring import path_of
from benchmarks.service.servers import Server
from tests.faults import processes

ROLES = ("worker", "nursery", "dispatcher", "exporter", "web", "arbiter")
LIMIT_S = 60.0
REST_S = 1.0


@dataclass(slots=True)
class Client:
    """Asks about one case without pause over one kept connection and compares every answer with the first."""

    server: Server
    case: Case
    rows: list[Row]
    reference: dict[int, Any] = field(default_factory=dict)
    exact: bool = True  # then a seed makes another record of the same numbers
    right: int = 0
    refused: int = 0
    broken: int = 0
    wrong: list[Any] = field(default_factory=list)
    receipts: set[str] = field(default_factory=set)
    asked_at: float = 0.0  # when the last rightly answered request was sent
    connection: http.client.HTTPConnection | None = None

    def learn(self) -> None:
        """Ask for every row once, before anything is killed: what is answered then is what is right."""
        for number in range(len(self.rows)):
            status, answer = self._post(number)
            if status != 200:
                raise RuntimeError(f"{self.case.name}: no reference: {answer}")
            self.reference[number] = told(answer)
            self.exact = self.exact and answer["explanations"][0]["method"]["exact"]

    def run(self, over: threading.Event) -> None:
        for number in count():
            if over.is_set():
                return
            began = time.monotonic()
            try:
                seed = {"seed": number} if self.exact else {}
                status, answer = self._post(number % len(self.rows), seed)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                self.close()
                time.sleep(0.02)
                continue
            self._judge(number % len(self.rows), status, answer, began)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _judge(self, number: int, status: int, answer: Any, began: float) -> None:
        if status == 200 and told(answer) == self.reference[number]:
            self.right += 1
            self.receipts.add(answer["explanations"][0]["receipt"])
            self.asked_at = began
        elif status in {429, 502, 503, 504} and answer.get("code"):
            self.refused += 1
            time.sleep(0.02)
        else:
            self.wrong.append((self.case.name, number, status, answer))

    def _post(self, number: int, more: dict[str, int] | None = None) -> tuple[int, Any]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT_S)
        headers = {"Content-Type": "application/json", **self.server.headers}
        text = json.dumps({"instances": [self.rows[number]], **self.case.settings, **(more or {})})
        self.connection.request("POST", path_of(self.case), text, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def told(answer: Any) -> Any:
    """The numbers of an answer, to the bit."""
    found = answer["explanations"][0]
    return found["prediction"], found["expected_value"], [a["attribution"] for a in found["attributions"]]


@dataclass(slots=True)
class Rounds:
    """What all rounds together showed."""

    recovery: dict[str, list[float]]  # seconds by the role of what was killed
    right: int
    refused: int
    broken: int
    wrong: list[Any]
    acknowledged: int
    lost: list[str]

    @property
    def worst_s(self) -> float:
        return max(max(times) for times in self.recovery.values() if times)


def killed(server: Server, asked: list[tuple[Case, list[Row]]], rounds: int, seed: int = 1) -> Rounds:
    """Kill a random process of a random role, wait until every case is answered rightly again, and so on."""
    chance, over = random.Random(seed), threading.Event()
    clients = [Client(server, case, rows) for case, rows in asked]
    for client in clients:
        client.learn()
    recovery: dict[str, list[float]] = {role: [] for role in ROLES}
    entries = _verified(server)["entries"]
    with _running(clients, over):
        for _ in range(rounds):
            role, victim = _victim(server, chance)
            moment = time.monotonic()
            processes.kill(victim)
            recovery[role].append(_well_after(clients, moment, server) - moment)
            time.sleep(chance.uniform(0, 2 * REST_S))
    receipts = set().union(*(client.receipts for client in clients))
    return Rounds(
        recovery,
        sum(client.right for client in clients),
        sum(client.refused for client in clients),
        sum(client.broken for client in clients),
        [wrong for client in clients for wrong in client.wrong],
        len(receipts),
        _lost(server, receipts, entries + sum(client.right for client in clients)),
    )


@contextlib.contextmanager
def _running(clients: list[Client], over: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=client.run, args=(over,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(LIMIT_S)
        for client in clients:
            client.close()


def _victim(server: Server, chance: random.Random) -> tuple[str, int]:
    while True:
        roles = processes.roles(server.process.pid)
        found = [(role, pid) for role in ROLES for pid in roles[role]]
        if found:
            return chance.choice(found)
        server.check_alive()
        time.sleep(0.05)


def _well_after(clients: list[Client], moment: float, server: Server) -> float:
    """When every client had a right answer to a request that it sent after the moment."""
    while not all(client.asked_at > moment for client in clients):
        server.check_alive()
        if time.monotonic() > moment + LIMIT_S:
            late = [client.case.name for client in clients if client.asked_at <= moment]
            raise RuntimeError(f"{late} were not answered within {LIMIT_S:.0f} s\n{server.log.read_text()[-3000:]}")
        time.sleep(0.005)
    return time.monotonic()


def _lost(server: Server, receipts: set[str], entries: int) -> list[str]:
    """Receipts that are gone, and what is wrong with a ledger that must have at least so many entries."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)) as connection:
        missing = [receipt for receipt in sorted(receipts) if _get(connection, server, f"receipts/{receipt}")[0] != 200]
    ledger = _verified(server)
    if not ledger.get("ok") or ledger["entries"] < entries:
        missing.append(f"ledger: {ledger}, {entries} entries are due")
    return missing


def _verified(server: Server) -> Any:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)) as connection:
        return _get(connection, server, "ledger/verify")[1]


def _get(connection: http.client.HTTPConnection, server: Server, path: str) -> tuple[int, Any]:
    connection.request("GET", f"/api/v1/{path}", headers=dict(server.headers))
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def shown(rounds: Rounds) -> None:
    """Print how long each kind of process was missed, and the sums."""
    print(
        f"{'killed':14}{'rounds':>8}{'median':>10}{'worst':>10}   seconds until every case was answered rightly again"
    )
    for role, times in rounds.recovery.items():
        if times:
            print(f"{role:14}{len(times):8}{sorted(times)[len(times) // 2]:10.2f}{max(times):10.2f}")
    print(
        f"{rounds.right} right answers, {rounds.refused} refused in words, {rounds.broken} cut off, "
        f"{len(rounds.wrong)} wrong; {len(rounds.lost)} of {rounds.acknowledged} acknowledged receipts lost"
    )
    for one in [*rounds.wrong[:3], *rounds.lost[:3]]:
        print(f"  {one}")
