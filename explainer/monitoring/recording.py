"""The meters that count: into this process's cells, and, where somebody traces, into spans."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Literal

from explainer.monitoring import catalogue as of
from explainer.monitoring.cells import Cells
from explainer.monitoring.layout import Key
from explainer.monitoring.meters import Asked, Stage, WhyEnded
from explainer.monitoring.slots import PLACE, Slots
from explainer.monitoring.spans import NoTraces, Span, Traces
from explainer.records import Explanation

LIVE: Final = frozenset({*(m.name for m in of.METRICS.values() if m.kind == "gauge"), PLACE})
IN_FLIGHT: Final[Key] = (of.IN_FLIGHT.name,)


class FileMeters:
    """Every count goes to `cells`, at once; `traces` get a span for each request and each stage."""

    def __init__(self, cells: Cells, traces: Traces | None = None) -> None:
        self._cells = cells
        self._traces = traces or NoTraces()
        self._slots = Slots(cells)

    def asked(self, method: str, route: str, headers: Mapping[str, str]) -> Asked:
        self._cells.add(IN_FLIGHT)
        return _Asked(self._cells, method, route, self._traces.request(method, route, headers))

    def repeated(self, route: str, seconds: float) -> None:
        _count(self._cells, "POST", route, 200, seconds)

    def stage(self, name: Stage) -> AbstractContextManager[None]:
        return _Timed(self._cells, name, self._traces)

    def elsewhere(self, name: Stage, seconds: float, ago: float = 0.0) -> None:
        self._traces.elsewhere(name, seconds, ago)

    def traceparent(self) -> str | None:
        return self._traces.traceparent()

    def rows(self, model: str, *, hits: int, misses: int) -> None:
        if hits:
            self._cells.add((of.ROWS_ASKED.name, model, "hit"), hits)
        if misses:
            self._cells.add((of.ROWS_ASKED.name, model, "miss"), misses)

    def computed(self, model: str, explanations: Sequence[Explanation]) -> None:
        for e in explanations:
            self._computed(model, e)

    def _computed(self, model: str, e: Explanation) -> None:
        cells, method = self._cells, e.method.name
        cells.add((of.EXPLANATIONS.name, model, method, e.output))
        cells.add((of.EVALUATIONS.name, model, method), e.method.evaluations)
        if e.method.additivity_gap is not None:
            cells.observe((of.GAP.name, model), of.GAP.bounds, abs(e.method.additivity_gap))
        for notice in e.warnings:
            cells.add((of.WARNINGS.name, model, notice.code))
            if notice.code == "tolerance-not-met":
                cells.add((of.TOLERANCE_MISSES.name, model, method))
            elif notice.code == "deadline-reached":
                cells.add((of.DEADLINES.name, model, method))

    def warned(self, model: str, codes: Sequence[str]) -> None:
        for code in codes:
            self._cells.add((of.WARNINGS.name, model, code))

    def looked_up(self, tier: str, *, hits: int, misses: int) -> None:
        if hits:
            self._cells.add((of.LOOKUPS.name, tier, "hit"), hits)
        if misses:
            self._cells.add((of.LOOKUPS.name, tier, "miss"), misses)

    def cache_failed(self, tier: str, times: int = 1) -> None:
        self._cells.add((of.CACHE_ERRORS.name, tier), times)

    def cache_holds(self, tier: str, size_bytes: int, *, own: bool) -> None:
        self._cells.set((of.CACHE_OWN.name,) if own else (of.CACHE_SHARED.name, tier), size_bytes)

    def recorded(self, seconds: float) -> None:
        self._cells.add((of.LEDGER_ENTRIES.name,))
        self._cells.observe((of.LEDGER_COMMIT.name,), of.LEDGER_COMMIT.bounds, seconds)

    def not_recorded(self) -> None:
        self._cells.add((of.LEDGER_FAILURES.name,))

    def verified(self, whole: bool) -> None:
        self._cells.add((of.VERIFICATIONS.name, "whole" if whole else "broken"))

    def receipts_kept(self, count: int) -> None:
        self._cells.add((of.RECEIPTS.name,), count)

    def budget_used_up(self, model: str) -> None:
        self._cells.add((of.BUDGETS_USED_UP.name, model))

    def signed_in(self, outcome: Literal["admitted", "refused", "throttled"]) -> None:
        self._cells.add((of.SIGN_INS.name, outcome))

    def exported(self, model: str, *, explained: int, rejected: int, skipped: int) -> None:
        for outcome, rows in (("explained", explained), ("rejected", rejected), ("skipped", skipped)):
            if rows:
                self._cells.add((of.EXPORT_ROWS.name, model, outcome), rows)

    def queued(self, model: str, waiting: int) -> None:
        self._cells.set((of.QUEUE_LENGTH.name, model), waiting)

    def waited(self, model: str, seconds: float) -> None:
        self._cells.observe((of.QUEUE_WAIT.name, model), of.QUEUE_WAIT.bounds, seconds)
        self._cells.observe((of.STAGE.name, "queue"), of.STAGE.bounds, seconds)

    def batch(self, model: str, rows: int, seconds: float) -> None:
        self._cells.observe((of.BATCH_ROWS.name, model), of.BATCH_ROWS.bounds, rows)
        self._cells.observe((of.BATCH_TIME.name, model), of.BATCH_TIME.bounds, seconds)

    def worker_started(self, model: str, version: str, pid: int) -> None:
        again = self._slots.take(model, version, pid)
        self._cells.add((of.STARTS.name, model, version))
        if again:
            self._cells.add((of.RESTARTS.name, model, version))

    def worker_ended(self, model: str, version: str, pid: int, why: WhyEnded | None) -> None:
        self._slots.leave(model, version, pid)
        if why is not None:
            self._cells.add((of.DEATHS.name, model, version, why))

    def in_service(self, model: str, version: str, serves: bool) -> None:
        self._cells.set((of.OUT_OF_SERVICE.name, model, version), 0.0 if serves else 1.0)


def _count(cells: Cells, method: str, route: str, status: int, seconds: float) -> None:
    cells.add((of.REQUESTS.name, method, route, str(status)))
    cells.observe((of.LATENCY.name, route, f"{status // 100}xx"), of.LATENCY.bounds, seconds)


class _Asked:
    """Counts one request once, however often its end is told."""

    def __init__(self, cells: Cells, method: str, route: str, span: Span) -> None:
        self._cells, self._method, self._route, self._span = cells, method, route, span
        self._begun = time.perf_counter()
        self._open = True

    def answered(self, status: int, code: str | None = None) -> None:
        if not self._open:
            return
        self._open = False
        seconds = time.perf_counter() - self._begun
        self._cells.add(IN_FLIGHT, -1)
        _count(self._cells, self._method, self._route, status, seconds)
        if code is not None:
            self._cells.add((of.PROBLEMS.name, code, str(status)))
        self._span.end(status, code)


class _Timed:
    """One stage: its time is counted, whether it ends well or not."""

    __slots__ = ("_begun", "_cells", "_name", "_span", "_traces")

    def __init__(self, cells: Cells, name: str, traces: Traces) -> None:
        self._cells, self._name, self._traces = cells, name, traces

    def __enter__(self) -> None:
        self._span = self._traces.stage(self._name)
        self._begun = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cells.observe((of.STAGE.name, self._name), of.STAGE.bounds, time.perf_counter() - self._begun)
        self._span.end(None, None if kind is None else kind.__name__)
