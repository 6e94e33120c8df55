"""What latency does near saturation, and what a service does that is asked for twice what it can give."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.service import openloop
from benchmarks.service.cases import Case, Row, body
from benchmarks.service.client import Plan, measured
from benchmarks.service.measuring import SEEDS, path_of
from benchmarks.service.memory import Peak
from benchmarks.service.openloop import OpenOutcome, OpenPlan
from benchmarks.service.servers import Server

PROBE_CLIENTS = (16, 32)
PART = 0.7
DEADLINE_MS = 1000
CALLERS = 8


@dataclass(frozen=True, slots=True)
class Strain:
    """One case: its saturating rate, the outcome at 70 % of it, and what overload did."""

    case: str
    saturating: float  # answers a second
    calm: OpenOutcome  # at 70 %
    over: OpenOutcome | None = None  # at 200 %
    seconds: float = 0.0
    early_mb: float = 0.0  # mean total memory in the second fifth of the overload
    late_mb: float = 0.0  # and in the last

    @property
    def spread(self) -> float:
        """p99 over p50 at 70 % of the saturating rate."""
        return OpenOutcome.quantile(self.calm.accepted, 0.99) / OpenOutcome.quantile(self.calm.accepted, 0.5)


@dataclass(frozen=True, slots=True)
class Extent:
    """Seconds of each part."""

    probe: float
    calm: float
    over: float


def strained(server: Server, case: Case, rows: list[Row], headers: list[dict[str, str]], extent: Extent) -> Strain:
    """Find the saturating rate by clients that ask without pause, then ask at 70 % and at 200 % of it."""
    fresh = [body(row, case.settings, fresh=True) for row in rows]
    hasty = [body(row, {**case.settings, "deadline_ms": DEADLINE_MS}, fresh=True) for row in rows]  # type: ignore[dict-item]
    saturating = _saturating(server, case, fresh, headers[0], extent.probe)
    time.sleep(1)
    calm = _asked(server, case, fresh, headers, (PART * saturating, extent.calm))
    time.sleep(1)
    began = time.monotonic()
    with Peak(server.process.pid) as peak:
        over = _asked(server, case, hasty, headers, (2 * saturating, extent.over))
    fifth = extent.over / 5
    return Strain(
        case.name,
        saturating,
        calm,
        over,
        extent.over,
        peak.mean(began + fifth, began + 2 * fifth),
        peak.mean(began + 4 * fifth, began + 5 * fifth),
    )


def _saturating(server: Server, case: Case, bodies: list[str], headers: dict[str, str], seconds: float) -> float:
    """The most answers a second that clients get who ask without pause, after as long a time that is not counted."""
    rates = []
    for clients in (PROBE_CLIENTS[0], *PROBE_CLIENTS):
        found = measured(Plan(server.port, path_of(case), bodies, clients, seconds, headers, next(SEEDS)))
        if found.wrong:
            raise RuntimeError(f"{case.name}: wrong answers while its saturating rate was sought: {found.wrong}")
        rates.append(found.rate)
    return max(rates[1:])


def _asked(
    server: Server, case: Case, bodies: list[str], headers: list[dict[str, str]], load: tuple[float, float]
) -> OpenOutcome:
    rate, seconds = load
    outcome = openloop.measured(
        OpenPlan(server.port, path_of(case), bodies, rate, seconds, headers, next(SEEDS), '"cache":"miss"')
    )
    if not outcome.accepted:
        raise RuntimeError(f"{case.name}: nothing was answered at {rate:.0f}/s: {outcome.wrong}")
    return outcome


def shown(strains: list[Strain]) -> None:
    """Print one block for each case."""
    q = OpenOutcome.quantile
    for s in strains:
        print(f"{s.case}: {s.saturating:.0f} answers/s to clients that ask without pause")
        a = s.calm.accepted
        print(
            f"  at {PART:.0%}, exponential gaps: p50 {q(a, 0.5):.1f} ms, p95 {q(a, 0.95):.1f}, p99 {q(a, 0.99):.1f} "
            f"(p99 is {s.spread:.1f} p50); {len(s.calm.refused)} of {s.calm.sent} refused, wrong {s.calm.wrong or 0}; "
            f"client {s.calm.busy:.0%} of a core, at most {s.calm.behind_ms:.0f} ms late"
        )
        if s.over is not None:
            a, r = s.over.accepted, s.over.refused
            print(
                f"  at 200 % for {s.seconds:.0f} s, deadline_ms {DEADLINE_MS}: {len(a)} of {s.over.sent} accepted "
                f"({len(a) / s.seconds:.0f}/s), p50 {q(a, 0.5):.0f} ms, p99 {q(a, 0.99):.0f}; {len(r)} refused, "
                f"p50 {q(r, 0.5):.1f} ms, p99 {q(r, 0.99):.0f}; wrong {s.over.wrong or 0}; memory {s.early_mb:.0f} MB, "
                f"later {s.late_mb:.0f} MB; client {s.over.busy:.0%} of a core"
            )
