"""Proves that spans really arrive at a collector, hang together, and hold no personal data."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from explainer.monitoring.cells import Cells
from explainer.monitoring.collecting import CollectorTraces
from explainer.monitoring.recording import FileMeters
from explainer.settings import SettingsError

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed; make test installs it")
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "tracestate": "vendor=1"}


class Collector:
    """An OTLP/HTTP collector in this process."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(self.path, ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, sent: ExportTraceServiceRequest) -> None:
        self.paths.append(path)
        for group in sent.resource_spans:
            self.resources.append({a.key: a.value.string_value for a in group.resource.attributes})
            self.spans += [span for scope in group.scope_spans for span in scope.spans]

    def named(self, name: str) -> Span:
        (found,) = [span for span in self.spans if span.name == name]
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.server.shutdown()
    started.server.server_close()


def test_a_request_and_its_stages_arrive_as_one_trace(collector: Collector, tmp_path: Path) -> None:
    """The caller's trace goes on: its span is the parent of the request's, and that of the stages'."""
    traces = CollectorTraces(collector.address, "web")
    meters = FileMeters(Cells(tmp_path, "web"), traces)
    asked = meters.asked("POST", "/api/v1/models/{name}/explain", PARENT)
    with meters.stage("cache"), meters.stage("compute"):
        passed_on = meters.traceparent()
        meters.elsewhere("queue", 0.5, 0.25)
    asked.answered(503, "overloaded")
    traces.flush()
    assert collector.paths == ["/v1/traces"]
    request, cache, compute = (collector.named(n) for n in ("POST /api/v1/models/{name}/explain", "cache", "compute"))
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    assert request.trace_state == "vendor=1"
    assert cache.parent_span_id == request.span_id
    assert compute.parent_span_id == cache.span_id
    assert passed_on == f"00-{TRACE}-{compute.span_id.hex()}-01"
    queue = collector.named("queue")
    assert queue.parent_span_id == compute.span_id
    assert queue.end_time_unix_nano - queue.start_time_unix_nano == 500_000_000
    assert request.kind == Span.SPAN_KIND_SERVER
    assert collector.resources[0]["service.name"] == "explainer"
    assert collector.resources[0]["explainer.process"] == "web"


def test_attributes_are_route_and_outcome_only(collector: Collector, tmp_path: Path) -> None:
    """No address, no principal, no header, no value; a failed request and a failed stage are marked as errors."""
    traces = CollectorTraces(collector.address + "/v1/traces", "web")
    meters = FileMeters(Cells(tmp_path, "web"), traces)
    asked = meters.asked("GET", "/readyz", {"traceparent": "rubbish"})
    with pytest.raises(ValueError, match="hush"), meters.stage("compute"):
        raise ValueError("hush 987.5")
    asked.answered(500, "internal")
    traces.flush()
    request, stage = collector.named("GET /readyz"), collector.named("compute")
    assert {a.key for a in request.attributes} == {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "error.type",
    }
    assert [(a.key, a.value.string_value) for a in stage.attributes] == [("error.type", "ValueError")]
    assert request.status.code == stage.status.code == 2
    assert request.parent_span_id == b""
    assert not any("hush" in str(span) or span.events for span in collector.spans)


def test_requests_of_several_threads_are_not_mixed(collector: Collector, tmp_path: Path) -> None:
    """Each stage hangs from the request of its own thread."""
    traces = CollectorTraces(collector.address, "web")
    meters = FileMeters(Cells(tmp_path, "web"), traces)
    together = threading.Barrier(4)

    def answer(number: int) -> None:
        asked = meters.asked("GET", f"/{number}", {})
        together.wait(5)
        with meters.stage("compute"):
            together.wait(5)
        asked.answered(200)

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    traces.flush()
    requests = {s.span_id: s.trace_id for s in collector.spans if s.name.startswith("GET")}
    stages = [s for s in collector.spans if s.name == "compute"]
    assert len(requests) == len(stages) == 4
    assert len({s.parent_span_id for s in stages}) == 4
    assert all(requests[s.parent_span_id] == s.trace_id for s in stages)


def test_a_collector_that_is_away_costs_no_request(tmp_path: Path) -> None:
    """Nobody listens: requests are answered and counted all the same."""
    meters = FileMeters(Cells(tmp_path, "web"), CollectorTraces("http://127.0.0.1:9", "web"))
    for _ in range(100):
        asked = meters.asked("GET", "/healthz", {})
        with meters.stage("admit"):
            pass
        asked.answered(200)
    assert meters.traceparent() is None


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://collector", "file:///etc/passwd"])
def test_an_address_of_another_kind_is_refused(endpoint: str) -> None:
    """At the start, with the name of the setting."""
    with pytest.raises(SettingsError, match="EXPLAINER_OTEL_ENDPOINT must begin with http"):
        CollectorTraces(endpoint, "web")


def test_without_the_extra_the_start_says_what_to_install(repository: Path) -> None:
    """A Python that sees no installed packages refuses the setting, with the command that installs what is missing."""
    code = (
        f"import sys; sys.path.insert(0, {str(repository)!r})\n"
        "from explainer.monitoring.collecting import CollectorTraces\n"
        "CollectorTraces('http://collector', 'web')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SettingsError: EXPLAINER_OTEL_ENDPOINT needs OpenTelemetry: pip install 'explainer[otel]'." in done.stderr
