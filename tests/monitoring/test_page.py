"""Proves the page that Prometheus reads: all metrics, their types, what is looked up, and what is left out."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from explainer import __version__
from explainer.monitoring.catalogue import METRICS
from explainer.monitoring.cells import Cells
from explainer.monitoring.page import Readings, page
from explainer.monitoring.recording import LIVE, FileMeters
from tests.monitoring.conftest import READINGS, Measured, samples


def test_every_metric_is_on_the_page_of_an_idle_service(tmp_path: Path) -> None:
    """Each with its type and help, even before anything was counted: a rule can be checked against it."""
    families = {f.name: f for f in text_string_to_metric_families(page(tmp_path, READINGS).decode())}
    for name, metric in METRICS.items():
        family = families[name.removesuffix("_total") if metric.kind == "counter" else name]
        assert family.type == metric.kind, name
        assert family.documentation == metric.help, name
    assert len(families) == len(METRICS)


def test_a_count_whose_labels_are_known_begins_at_0(tmp_path: Path) -> None:
    """Prometheus sees the first failure only if it saw the 0 before."""
    found = samples(page(tmp_path, READINGS))
    assert found["explainer_ledger_failures_total", ()] == 0
    assert found["explainer_http_requests_in_flight", ()] == 0
    for outcome in ("whole", "broken"):
        assert found["explainer_ledger_verifications_total", (("outcome", outcome),)] == 0


def test_readings_are_shown_or_left_out(tmp_path: Path) -> None:
    """What could not be found out is absent, never a made-up 0."""
    found = samples(page(tmp_path, READINGS))
    assert found["explainer_ready", ()] == 1
    assert found["explainer_models_registered", ()] == 3
    assert found["explainer_ledger_head", ()] == 41
    assert found["explainer_disk_free_bytes", ()] == 10
    assert found["explainer_disk_size_bytes", ()] == 20
    without = {name for name, _ in samples(page(tmp_path, Readings(False, None, None, None, None)))}
    assert not without & {"explainer_models_registered", "explainer_ledger_head", "explainer_disk_free_bytes"}
    assert samples(page(tmp_path, Readings(False, None, None, None, None)))["explainer_ready", ()] == 0


def test_the_program_and_its_processes_are_told(measured: Measured) -> None:
    """Version, and for every process that lives its start, memory and CPU time."""
    measured.meters.receipts_kept(1)
    FileMeters(Cells(measured.folder, "dispatcher", LIVE)).queued("credit", 1)
    builds = [dict(labels) for name, labels in measured.samples() if name == "explainer_build_info"]
    assert [b["version"] for b in builds] == [__version__]
    assert measured.value("explainer_processes", role="web") == 1
    assert measured.value("explainer_processes", role="dispatcher") == 1
    assert (measured.value("explainer_process_resident_memory_bytes", role="web", process="0") or 0) > 10_000_000
    assert measured.value("explainer_process_cpu_seconds_total", role="web", process="0")
    assert measured.value("explainer_process_start_time_seconds", role="web", process="0")


def test_what_an_older_program_counted_is_passed_over(tmp_path: Path) -> None:
    """Unknown metrics, other labels and other buckets in a file do not break the page."""
    cells = Cells(tmp_path, "web", LIVE)
    cells.add(("explainer_forgotten_total", "a"))
    cells.add(("explainer_receipts_total", "label it never had"))
    cells.observe(("explainer_ledger_commit_duration_seconds",), (1.0,), 0.5)
    cells.add(("explainer_ledger_entries_total",), 7)
    text = page(tmp_path, READINGS)
    assert b"forgotten" not in text
    assert b"label it never had" not in text
    assert samples(text)["explainer_ledger_entries_total", ()] == 7
    assert ("explainer_ledger_commit_duration_seconds_count", ()) not in samples(text)


def test_odd_labels_are_escaped(measured: Measured) -> None:
    """A model may not break the page by its name."""
    name = 'a"b\\c\nd{}'
    measured.meters.rows(name, hits=1, misses=0)
    assert measured.value("explainer_explained_rows_total", model=name, cache="hit") == 1
