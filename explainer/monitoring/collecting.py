"""Traces for an OpenTelemetry collector: a span for each request and each of its stages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from explainer import __version__
from explainer.monitoring.spans import Span
from explainer.settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

NEEDED: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
PATH: Final = "/v1/traces"
TIMEOUT_S: Final = 3.0  # of one batch: so long the end of a process may take when the collector is away
SECOND_NS: Final = 1_000_000_000


class CollectorTraces:
    """Spans go out in batches from a thread of their own; a collector that is away costs no request anything.

    A `traceparent` of the caller is taken up; its baggage is not, since it may hold anything. The sampler and further
    settings are those of OpenTelemetry's own `OTEL_*` variables.
    """

    def __init__(self, endpoint: str, role: str) -> None:
        """`endpoint` is the collector's address; raises SettingsError when the extra `otel` is not installed."""
        if find_spec("opentelemetry") is None or any(find_spec(name) is None for name in NEEDED):
            raise SettingsError("EXPLAINER_OTEL_ENDPOINT needs OpenTelemetry: pip install 'explainer[otel]'.")
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError("EXPLAINER_OTEL_ENDPOINT must begin with http:// or https://.")
        self._endpoint = endpoint.rstrip("/").removesuffix(PATH) + PATH
        self._role = role

    def request(self, method: str, route: str, headers: Mapping[str, str]) -> Span:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        span = self._tracer.start_span(
            f"{method} {route}",
            context=TraceContextTextMapPropagator().extract(dict(headers)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
        )
        return _Open(span)

    def stage(self, name: str) -> Span:
        return _Open(self._tracer.start_span(name))

    def elsewhere(self, name: str, seconds: float, ago: float) -> None:
        end = time.time_ns() - round(ago * SECOND_NS)
        span = self._tracer.start_span(name, start_time=end - round(seconds * SECOND_NS))
        span.end(end)

    def traceparent(self) -> str | None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        return carrier.get("traceparent")

    def flush(self) -> None:
        """Send what is waiting; returns when it has been sent or given up."""
        self._provider.force_flush()

    @cached_property
    def _provider(self) -> TracerProvider:
        # Imported and begun by the first request: the threads of a process that forks would be lost to its children.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        about = {"service.name": "explainer", "service.version": __version__, "explainer.process": self._role}
        provider = TracerProvider(resource=Resource.create(about))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=self._endpoint, timeout=TIMEOUT_S)))
        return provider

    @cached_property
    def _tracer(self) -> trace.Tracer:
        return self._provider.get_tracer("explainer", __version__)


class _Open:
    """A span that later ones of this thread hang from until it ends."""

    def __init__(self, span: trace.Span) -> None:
        from opentelemetry import context, trace

        self._span = span
        self._token = context.attach(trace.set_span_in_context(span))

    def end(self, status: int | None = None, error: str | None = None) -> None:
        from opentelemetry import context
        from opentelemetry.trace import StatusCode

        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if error is not None:
            self._span.set_attribute("error.type", error)
        if (status or 0) >= 500 or (status is None and error is not None):
            self._span.set_status(StatusCode.ERROR)
        context.detach(self._token)
        self._span.end()
