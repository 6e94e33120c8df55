"""Measures one server after the other, each alone: its start, its memory, its errors, its pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from benchmarks.service.cases import CASES, Case, Row, body
from benchmarks.service.client import SEED, Outcome, Plan, measured
from benchmarks.service.memory import Peak
from benchmarks.service.servers import Server, first_answer
from benchmarks.service.truth import Values, check_adds_up, error

SEEDS = count(10**9, 25_000)  # each measurement begins at another: nothing of an earlier one can be found in a cache
CLIENTS = (1, 8)


@dataclass(frozen=True, slots=True)
class Extent:
    """How long and how often is measured, and of what."""

    seconds: float
    least: int  # requests of each client
    exact_rows: int
    repeats: int
    warm: int
    cases: tuple[Case, ...] = CASES


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of a case: its rows, and the exact values of some of them by row number."""

    case: Case
    rows: list[Row]
    exact: dict[int, Values]

    def bodies(self, *, fresh: bool = False) -> list[str]:
        return [body(row, self.case.settings, fresh=fresh) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Line:
    """Outcomes by number of clients; `error` None where there is nothing exact to compare with."""

    case: str
    who: str
    outcomes: dict[int, Outcome]
    error: float | None = None


@dataclass(slots=True)
class Run:
    """A server's start (seconds to the first answer, and to one of every case), memory and pace."""

    name: str
    first_s: float = 0.0
    all_s: float = 0.0
    total_mb: float = 0.0
    web_mb: float = 0.0
    processes: int = 0
    lines: list[Line] = field(default_factory=list)


@contextmanager
def watched(server: Server) -> Iterator[Run]:
    """A run whose memory is that of the server while the context lasts."""
    run = Run(server.name)
    with Peak(server.process.pid) as peak:
        yield run
    run.total_mb, run.web_mb, run.processes = peak.total, peak.web, peak.processes


def paced(server: Server, path: str, bodies: list[str], extent: Extent, **more: str) -> Callable[[int], Outcome]:
    """What measures the server with some number of clients."""

    def measure(clients: int) -> Outcome:
        outcome = measured(
            Plan(
                server.port,
                path,
                bodies,
                clients,
                extent.seconds,
                headers=dict(server.headers),
                first_seed=next(SEEDS),
                least=extent.least * clients,
                **more,  # type: ignore[arg-type]
            )
        )
        if outcome.wrong:
            raise RuntimeError(
                f"{server.name}, {path}: wrong answers: {outcome.wrong}\n{server.log.read_text()[-2000:]}"
            )
        return outcome

    return measure


def warmed(server: Server, path: str, bodies: list[str], requests: int) -> None:
    """Some requests that nobody counts: all of them answered, so that every process has compiled what it needs."""
    measured(Plan(server.port, path, bodies, 4, 0.0, dict(server.headers), next(SEEDS), requests, requests))


def echo(server: Server, extent: Extent, question: Question) -> Run:
    """The pace at which a request of ours is sent back as it is."""
    with watched(server) as run:
        wait_for_port(server)
        warmed(server, "/echo", question.bodies(), 50)
        measure = paced(server, "/echo", question.bodies(), extent)
        run.lines.append(Line("echo of the request", server.name, {n: measure(n) for n in CLIENTS}))
    return run


def explainer(server: Server, extent: Extent, questions: list[Question], *, cached: bool) -> Run:
    """Our service; its first answer must be exactly right to count. Without `cached` that half is left out."""

    def fresh(question: Question, i: int) -> object:
        text = body(question.rows[i], question.case.settings, fresh=True)
        return first_answer(server, path_of(question.case), text.replace(SEED.decode(), str(next(SEEDS))))

    with watched(server) as run:
        first = questions[0]
        off = error(dict([next(iter(first.exact.items()))]), lambda i: fresh(first, i), 1)
        if off is None or off > 1e-5:
            raise RuntimeError(f"The first answer was wrong by {off}")
        run.first_s = time.monotonic() - server.began
        for q in questions:
            fresh(q, 0)
        run.all_s = time.monotonic() - server.began
        for q in questions:
            path, new, again = path_of(q.case), q.bodies(fresh=True), q.bodies()
            wrong = error(q.exact, lambda i, q=q: fresh(q, i), extent.repeats)  # type: ignore[misc]
            warmed(server, path, new, extent.warm)
            if cached:
                warmed(server, path, again, len(again))
                hit = paced(server, path, again, extent, expect='"cache":"hit"')
                run.lines.append(Line(q.case.name, f"{server.name}, cached", {n: hit(n) for n in CLIENTS}, wrong))
            miss = paced(server, path, new, extent, expect='"cache":"miss"')
            run.lines.append(Line(q.case.name, server.name, {n: miss(n) for n in CLIENTS}, wrong))
    return run


def naive(server: Server, extent: Extent, questions: list[Question]) -> Run:
    """The naive service; its first answer counts when it adds up."""

    def ask(way: str, row: Row) -> object:
        return first_answer(server, f"/explain/{way}", body(row, {}))

    asked = [(q, way, what) for q in questions for way, what in q.case.rivals.items()]
    with watched(server) as run:
        for q, way, _ in asked:
            answer = ask(way, q.rows[0])
            run.all_s = time.monotonic() - server.began
            run.first_s = run.first_s or run.all_s
            if q.case.additive:
                check_adds_up(answer, way)
        for q, way, what in asked:
            bodies = [body(row, {}) for row in q.rows]
            warmed(server, f"/explain/{way}", bodies, extent.warm)
            wrong = error(q.exact, lambda i, q=q, way=way: ask(way, q.rows[i]), extent.repeats)  # type: ignore[misc]
            measure = paced(server, f"/explain/{way}", bodies, extent)
            run.lines.append(Line(q.case.name, f"naive: {what}", {n: measure(n) for n in CLIENTS}, wrong))
    return run


def wait_for_port(server: Server) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        server.check_alive()
        try:
            server.post("/echo", "{}")
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{server.name} did not answer in 30 s")


def path_of(case: Case) -> str:
    return f"/api/v1/models/{case.model}/explain"
