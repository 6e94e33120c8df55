"""Proves what each method of the meters moves, as Prometheus reads it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

from explainer.records import Explanation, MethodReport, Notice
from tests.monitoring.conftest import Measured

EXPLAIN = "/api/v1/models/{name}/explain"


def explanation(gap: float | None = 1e-8, warnings: tuple[str, ...] = ()) -> Explanation:
    method = MethodReport("permutation", 1, "many features", False, 700, 1, "default", gap)
    notices = tuple(Notice(code, "said 987.5") for code in warnings)
    return Explanation(0.5, 0.4, "yes", "probability", (0.1,), (0.01,), method, warnings=notices)


def test_a_request_is_in_flight_until_it_is_answered(measured: Measured) -> None:
    """In flight while it lasts; then counted once by route and status, however often its end is told."""
    asked = measured.meters.asked("POST", EXPLAIN, {})
    assert measured.value("explainer_http_requests_in_flight") == 1
    asked.answered(503, "overloaded")
    asked.answered(500, "internal")
    assert measured.value("explainer_http_requests_in_flight") == 0
    requests = {k: v for k, v in measured.samples().items() if k[0] == "explainer_http_requests_total"}
    assert list(requests.values()) == [1]
    assert measured.value("explainer_http_requests_total", method="POST", route=EXPLAIN, status="503") == 1
    seconds = "explainer_http_request_duration_seconds"
    assert measured.value(f"{seconds}_count", route=EXPLAIN, status_class="5xx") == 1
    assert measured.value(f"{seconds}_bucket", route=EXPLAIN, status_class="5xx", le="+Inf") == 1
    assert 0 < (measured.value(f"{seconds}_sum", route=EXPLAIN, status_class="5xx") or 0) < 60
    assert measured.value("explainer_problems_total", code="overloaded", status="503") == 1


def test_a_stage_is_timed_whether_it_ends_well_or_not(measured: Measured) -> None:
    """Errors go through unchanged; waiting in a queue is counted by the process that has the queue, and once."""
    with measured.meters.stage("compute"):
        pass
    with pytest.raises(ZeroDivisionError), measured.meters.stage("compute"):
        raise ZeroDivisionError
    measured.meters.waited("credit", 0.3)
    measured.meters.elsewhere("queue", 0.3)
    assert measured.value("explainer_stage_duration_seconds_count", stage="compute") == 2
    assert measured.value("explainer_stage_duration_seconds_sum", stage="queue") == 0.3
    assert measured.value("explainer_stage_duration_seconds_bucket", stage="queue", le="0.25") == 0
    assert measured.value("explainer_stage_duration_seconds_bucket", stage="queue", le="1") == 1
    assert measured.meters.traceparent() is None


def test_explanations_are_counted_by_what_they_cost_and_how_good_they_are(measured: Measured) -> None:
    """Evaluations, gap, missed tolerance, reached deadline and every warning by its code."""
    measured.meters.rows("credit", hits=3, misses=2)
    measured.meters.computed("credit", [explanation(), explanation(-0.5, ("tolerance-not-met", "deadline-reached"))])
    measured.meters.computed("credit", [explanation(None)])
    assert measured.value("explainer_explained_rows_total", model="credit", cache="hit") == 3
    assert measured.value("explainer_explained_rows_total", model="credit", cache="miss") == 2
    by = {"model": "credit", "method": "permutation"}
    assert measured.value("explainer_explanations_computed_total", output="probability", **by) == 3
    assert measured.value("explainer_evaluations_total", **by) == 2100
    assert measured.value("explainer_tolerance_misses_total", **by) == 1
    assert measured.value("explainer_deadlines_reached_total", **by) == 1
    assert measured.value("explainer_warnings_total", model="credit", code="deadline-reached") == 1
    measured.meters.warned("credit", ["foreign-row", "deadline-reached"])
    assert measured.value("explainer_warnings_total", model="credit", code="deadline-reached") == 2
    assert measured.value("explainer_warnings_total", model="credit", code="foreign-row") == 1
    assert measured.value("explainer_additivity_gap_count", model="credit") == 2
    assert measured.value("explainer_additivity_gap_bucket", model="credit", le="0.1") == 1


def test_the_cache_is_counted_by_tier(measured: Measured) -> None:
    """Nothing found and nothing missed leaves no series behind."""
    measured.meters.looked_up("redis", hits=0, misses=4)
    measured.meters.cache_failed("redis", 2)
    measured.meters.cache_holds("redis", 70, own=False)
    measured.meters.cache_holds("memory", 30, own=True)
    assert measured.value("explainer_cache_lookups_total", tier="redis", outcome="miss") == 4
    assert measured.value("explainer_cache_lookups_total", tier="redis", outcome="hit") is None
    assert measured.value("explainer_cache_errors_total", tier="redis") == 2
    assert measured.value("explainer_cache_shared_bytes", tier="redis") == 70
    assert measured.value("explainer_cache_memory_bytes") == 30


def test_records_and_sign_ins_are_counted(measured: Measured) -> None:
    """Entries written and not written, verifications by what they found, receipts, attempts to sign in."""
    meters = measured.meters
    meters.recorded(0.002)
    meters.recorded(0.004)
    meters.not_recorded()
    meters.verified(True)
    meters.verified(False)
    meters.receipts_kept(5)
    meters.signed_in("refused")
    assert measured.value("explainer_ledger_entries_total") == 2
    assert measured.value("explainer_ledger_commit_duration_seconds_sum") == pytest.approx(0.006)
    assert measured.value("explainer_ledger_failures_total") == 1
    assert measured.value("explainer_ledger_verifications_total", outcome="whole") == 1
    assert measured.value("explainer_ledger_verifications_total", outcome="broken") == 1
    assert measured.value("explainer_receipts_total") == 5
    assert measured.value("explainer_sign_ins_total", outcome="refused") == 1


def test_queues_and_batches_are_counted_by_model(measured: Measured) -> None:
    """How many wait now, how long they waited, how many rows went together."""
    measured.meters.queued("credit", 7)
    measured.meters.queued("credit", 2)
    measured.meters.waited("credit", 0.02)
    measured.meters.batch("credit", 40, 0.3)
    assert measured.value("explainer_queue_length", model="credit") == 2
    assert measured.value("explainer_queue_wait_seconds_count", model="credit") == 1
    assert measured.value("explainer_batch_rows_sum", model="credit") == 40
    assert measured.value("explainer_batch_duration_seconds_sum", model="credit") == 0.3


def test_the_life_of_workers_is_told(measured: Measured) -> None:
    """Starts, restarts, deaths by reason, living workers with memory and CPU time; a closed one is no death."""
    of = {"model": "credit", "version": "1.0"}
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        measured.meters.worker_started("credit", "1.0", os.getpid())
        measured.meters.worker_started("credit", "1.0", process.pid)
        assert measured.value("explainer_workers", **of) == 2
        assert (measured.value("explainer_worker_resident_memory_bytes", worker="1", **of) or 0) > 1_000_000
        assert measured.value("explainer_worker_cpu_seconds_total", worker="0", **of)
        measured.meters.worker_ended("credit", "1.0", process.pid, "killed")
        assert measured.value("explainer_workers", **of) == 1
        assert measured.value("explainer_worker_resident_memory_bytes", worker="1", **of) is None
        assert measured.value("explainer_worker_deaths_total", reason="killed", **of) == 1
        measured.meters.worker_started("credit", "1.0", process.pid)
        assert measured.value("explainer_worker_starts_total", **of) == 3
        assert measured.value("explainer_worker_restarts_total", **of) == 1
        measured.meters.worker_ended("credit", "1.0", process.pid, None)
        assert sum(v for k, v in measured.samples().items() if k[0] == "explainer_worker_deaths_total") == 1
    finally:
        process.kill()
        process.wait()


def test_a_version_out_of_service_is_told_until_it_is_back(measured: Measured) -> None:
    """1 while it is out of service, 0 afterwards."""
    measured.meters.in_service("credit", "1.0", False)
    assert measured.value("explainer_model_out_of_service", model="credit", version="1.0") == 1
    measured.meters.in_service("credit", "1.0", True)
    assert measured.value("explainer_model_out_of_service", model="credit", version="1.0") == 0


def test_nothing_of_a_row_reaches_the_page(measured: Measured) -> None:
    """Details of warnings, attributions and predictions are not in the metrics."""
    odd = dataclasses.replace(explanation(1e-3, ("low-local-fit",)), prediction=987.5, attributions=(987.5,))
    measured.meters.computed("credit", [odd])
    assert "987" not in str(measured.samples())


def test_rows_of_exports_are_counted_by_what_became_of_them(measured: Measured) -> None:
    """Explained, rejected and left out, each by model; what did not happen has no series."""
    measured.meters.exported("credit", explained=90, rejected=3, skipped=0)
    measured.meters.exported("credit", explained=10, rejected=0, skipped=0)
    rows = "explainer_export_rows_total"
    assert measured.value(rows, model="credit", outcome="explained") == 100
    assert measured.value(rows, model="credit", outcome="rejected") == 3
    assert measured.value(rows, model="credit", outcome="skipped") is None
