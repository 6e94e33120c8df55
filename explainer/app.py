"""The Flask app around furnished rooms: routes, error pages, headers; no rule of the product lives here."""

from __future__ import annotations

import logging
import re
import uuid
from http import HTTPStatus

from flask import Response, g, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

import webui.pages
from explainer import __version__, logs
from explainer.api import (
    access,
    decision_tools,
    document,
    exports,
    health,
    insight,
    ledger,
    limits,
    metrics,
    models,
    receipts,
)
from explainer.api.body import StrictRequest
from explainer.api.cors import allow_origins, origins
from explainer.api.forwarded import PROBLEM, Forwarded, networks
from explainer.api.guard import EXTENSION, House, caller, house
from explainer.api.problems import problem_response, refuse_settings
from explainer.api.quick import QuickWay
from explainer.api.watching import watch_repeated, watch_requests
from explainer.errors import (
    Cancelled,
    ExplainerError,
    MalformedRequest,
    NotReady,
    Overloaded,
    RequestRefused,
    StorageFailed,
    TooLarge,
)
from explainer.usecases.admit import ANONYMOUS
from explainer.usecases.recording import record_refusal
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

log = logging.getLogger(__name__)
EXPECTED = (NotReady, Overloaded, Cancelled)  # not faults: meters count them
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class ServiceError(ExplainerError):
    code, status, title = "internal", 500, "The service failed"


class RouteRefused(RequestRefused):
    """A 404 or 405 of the router, with its own status."""

    def __init__(self, error: HTTPException) -> None:
        detail = f"There is no {request.method} {request.path[:200]!a} here; the routes are listed at /api/docs."
        super().__init__(detail if error.code in {404, 405} else error.description or "The request was refused.")
        self.status = error.code or 400  # type: ignore[misc]
        self.code = HTTPStatus(self.status).phrase.lower().replace(" ", "-")  # type: ignore[misc]
        self.title = HTTPStatus(self.status).phrase  # type: ignore[misc]


def create_app(rooms: Rooms, serving: Served) -> OpenAPI:
    """Build the app; `serving.start()` is the caller's matter."""
    app = OpenAPI(
        "explainer",
        info=Info(title="explainer", version=__version__, description="Why did the model say that?"),
        security_schemes={"key": {"type": "http", "scheme": "bearer", "description": "An API key"}},
        validation_error_callback=refuse_settings,
        doc_ui=False,
        static_folder=None,
    )
    app.request_class = StrictRequest
    app.config.update(
        MAX_CONTENT_LENGTH=rooms.settings.max_body_bytes,
        MAX_JSON_DEPTH=rooms.settings.max_depth,
        SECURE_COOKIES=rooms.settings.secure_cookies,
        SESSION_HOURS=rooms.settings.session_hours,
    )
    app.extensions[EXTENSION] = House(rooms, serving)
    for api in (models, insight, receipts, ledger, access, limits, exports, decision_tools):
        app.register_api(api.blueprint)
    for pages in (health.blueprint, metrics.blueprint, document.blueprint, webui.pages.blueprint):
        app.register_blueprint(pages)
    watch_requests(app, rooms.meters)
    quick = QuickWay(app.wsgi_app, rooms, serving, watch_repeated(rooms.meters))
    app.wsgi_app = Forwarded(quick, networks(rooms.settings.trusted_proxies))  # type: ignore[method-assign]
    app.before_request(_name_request)
    app.before_request(_check_forwarded)
    app.after_request(_add_headers)
    allow_origins(app, origins(rooms.settings.cors_origins))
    app.register_error_handler(ExplainerError, _answer_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_failure)
    return app


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    logs.about(request_id=g.request_id)


def _check_forwarded() -> None:
    if (problem := request.environ.get(PROBLEM)) is not None:
        raise MalformedRequest(f"{problem}: the proxy in front of this service has to be set up otherwise.")


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    if "Content-Security-Policy" not in response.headers:
        response.headers.extend(SECURITY_HEADERS)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


def _answer_error(error: ExplainerError) -> Response:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, EXPECTED):
        log.error("%s: %s", error.code, error.detail, extra=logs.event("request.failed", code=error.code))
    return _render(_with_entry(error))


def _with_entry(error: ExplainerError) -> ExplainerError:
    """See to it that a refused request has its entry; where none can be written, that is what is answered."""
    who = _who(error)
    if who is not None:
        try:
            record_refusal(house().rooms.ledger, who, "request:refuse", error.code)
        except StorageFailed as lost:
            log.error("%s: %s", lost.code, lost.detail, extra=logs.event("request.failed", code=lost.code))
            return lost
    return error


def _who(error: ExplainerError) -> Caller | None:
    """Who was refused; None where that is written down already, and for questions about health."""
    if error.recorded or request.blueprint == health.blueprint.name:
        return None
    if "caller" in g:
        return caller()
    return Caller(ANONYMOUS, g.request_id, "page" if webui.pages.is_page_request() else "api")


def _answer_http_error(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        limit = house().rooms.settings.max_body_bytes
        return _answer_error(TooLarge(f"The body is larger than {limit} bytes; send fewer rows."))
    if error.response is not None:
        return error.get_response()  # type: ignore[return-value]
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # type: ignore[return-value]
    response = _answer_error(RouteRefused(error))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _answer_failure(error: Exception) -> Response:
    log.error("a fault of the service", exc_info=error, extra=logs.event("request.failed", code="internal"))
    detail = f"Something went wrong here, not in your request. Name {g.request_id} to whoever runs this."
    return _render(_with_entry(ServiceError(detail)))


def _render(error: ExplainerError) -> Response:
    g.problem = error.code
    if webui.pages.is_page_request():
        return webui.pages.error_page(error)
    return problem_response(error)
