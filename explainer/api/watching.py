"""Around every request: its meters, its log line, and what other lines that are written meanwhile are about."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from flask import Flask, Response, g, request

from explainer import logs
from explainer.api.quick import Repeated
from explainer.monitoring.meters import Asked, Meters

log = logging.getLogger(__name__)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE: Final = "none"
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics", "/static/{filename}", "/api/docs/static/{filename}"})
TRACE_HEADERS: Final = (("traceparent", "HTTP_TRACEPARENT"), ("tracestate", "HTTP_TRACESTATE"))
UNKNOWN_MODEL: Final = frozenset({401, 403, 404})  # after which the model of the address may be anybody's invention


class Watched(NamedTuple):
    """A request that is being answered: HTTP method, route, when it began, and who is told its end."""

    method: str
    route: str
    begun: float
    asked: Asked


def watch_requests(app: Flask, meters: Meters) -> None:
    """Measure and log every request of `app`; to be called before other hooks are added.

    An error handler that answers a problem puts its code into `g.problem`. The line of a request names its route, never
    the address that was asked for, and no value that was sent.
    """
    routes: dict[str, str] = {}

    def begin() -> None:
        asked = request._get_current_object()  # type: ignore[attr-defined]
        rule = asked.url_rule.rule if asked.url_rule is not None else NO_ROUTE
        route = routes.get(rule) or routes.setdefault(rule, _template(rule))
        method = asked.method if asked.method in METHODS else "other"
        environ = asked.environ
        logs.about()
        sent = {name: environ[key] for name, key in TRACE_HEADERS if key in environ}
        g.watched = Watched(method, route, time.perf_counter(), meters.asked(method, route, sent))

    def end(response: Response) -> Response:
        watched: Watched = g.watched
        watched.asked.answered(response.status_code, g.get("problem"))
        _write(watched, response.status_code)
        return response

    def close(error: BaseException | None) -> None:
        if "watched" in g:  # without effect where the request was answered
            g.watched.asked.answered(500, "internal")
        logs.about()

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(close)


def watch_repeated(meters: Meters) -> Callable[[Repeated], None]:
    """What the quick way tells of each answer: its meters and its log line, as if it had gone the whole way."""

    def told(said: Repeated) -> None:
        meters.repeated(said.route, said.seconds)
        if log.isEnabledFor(logging.INFO):
            facts = logs.event(
                "http.request",
                request_id=said.request_id,
                principal=said.principal,
                model=said.model,
                method="POST",
                route=said.route,
                status=200,
                duration_ms=round(1000 * said.seconds, 3),
            )
            log.info("POST %s 200", said.route, extra=facts)

    return told


def _template(rule: str) -> str:
    """The route as it is documented: `{name}` for `<name>` and `<path:name>`."""
    parts = rule.replace("<", "{").replace(">", "}").split("{")
    return "{".join([parts[0], *(part.rpartition(":")[2] if ":" in part else part for part in parts[1:])])


def _write(watched: Watched, status: int) -> None:
    level = logging.DEBUG if watched.route in QUIET else logging.INFO
    if not log.isEnabledFor(level):
        return
    caller = g.get("caller")
    model = (request.view_args or {}).get("name") if status not in UNKNOWN_MODEL else None
    facts = logs.event(
        "http.request",
        request_id=g.get("request_id"),
        principal=None if caller is None else caller.principal.id,
        model=model,
        method=watched.method,
        route=watched.route,
        status=status,
        code=g.get("problem"),
        duration_ms=round(1000 * (time.perf_counter() - watched.begun), 3),
    )
    log.log(level, "%s %s %d", watched.method, watched.route, status, extra=facts)
