"""A door before the app: an explain request that was answered a moment ago needs no routing, reading or coding."""

from __future__ import annotations

import io
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from explainer.access.budgets import FIELDS, header_fields
from explainer.api.forwarded import PROBLEM as FORWARDED_PROBLEM
from explainer.usecases.again import LONGEST_BODY, Answers, Question, say_again
from explainer.usecases.rooms import Rooms
from explainer.usecases.serving import Served

REPEATABLE: Final = "explainer.repeatable"  # where the app leaves an answer that may be given again
PATH: Final = re.compile(
    r"/api/v1/models/([a-z0-9][a-z0-9-]{0,62})(?:/versions/([A-Za-z0-9][A-Za-z0-9._-]{0,31}))?/explain"
)
BEARER: Final = re.compile(r"[Bb]earer +([^ ]+)")
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
LENGTH: Final = re.compile(r"[0-9]{1,6}")
# Requests with one of these go the whole way: what they ask for is decided there.
UNUSUAL: Final = (
    *("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_EXPECT", "HTTP_TRACEPARENT", "HTTP_ORIGIN"),
    FORWARDED_PROBLEM,
)
ROUTES: Final = ("/api/v1/models/{name}/explain", "/api/v1/models/{name}/versions/{version}/explain")
OK: Final = "200 OK"
OF_EACH: Final = frozenset({"x-request-id", "content-length", *(name.lower() for name in FIELDS)})

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Repeated:
    """An answer that was given by the quick way, for whoever counts and logs requests: `route` as it is documented."""

    route: str
    principal: str
    model: str
    request_id: str
    seconds: float


class QuickWay:
    """WSGI in front of `app`, which answers everything else.

    Status, headers and bytes are those that the app itself sent the last time, with the id and the length of this
    request. `told` is called for each.
    """

    def __init__(self, app: App, rooms: Rooms, serving: Served, told: Callable[[Repeated], None] | None = None) -> None:
        self._app = app
        self._rooms = rooms
        self._serving = serving
        self._told = told
        self.answers = Answers(rooms.settings)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        begun = time.perf_counter()
        question = _question(environ)
        if question is None:
            return self._app(environ, start_response)
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        bearer = BEARER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        if bearer is not None:
            found = say_again(self._rooms, self._serving, self.answers, bearer[1], question, request_id)
            if found is not None:
                (said, headers), left = found
                if self._told is not None:
                    route = ROUTES[question.version is not None]
                    spent = time.perf_counter() - begun
                    self._told(Repeated(route, said.principal.id, question.model, request_id, spent))
                body = b'%b"%b"%b' % (said.before, request_id.encode(), said.after)
                own = [("Content-Length", str(len(body))), ("X-Request-ID", request_id)]
                own += [] if left is None else header_fields(left).items()
                start_response(OK, headers + own)
                return [body]
        return self._whole_way(environ, start_response, question)

    def _whole_way(self, environ: Environ, start_response: Any, question: Question) -> Iterable[bytes]:
        sent: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            sent.append((status, headers))
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        body = self._app(environ, start)
        said = environ.get(REPEATABLE)
        if said is not None and sent and sent[-1][0] == OK:
            fixed = [(name, value) for name, value in sent[-1][1] if name.lower() not in OF_EACH]
            self.answers.keep(question, said, fixed)
        return body


def _question(environ: Environ) -> Question | None:
    """The question of a short JSON body for the explain route; None for every other request."""
    if environ["REQUEST_METHOD"] != "POST" or environ.get("CONTENT_TYPE") != "application/json":
        return None
    path, length = PATH.fullmatch(environ["PATH_INFO"]), environ.get("CONTENT_LENGTH", "")
    if path is None or LENGTH.fullmatch(length) is None or environ.get("QUERY_STRING") or environ.get("SCRIPT_NAME"):
        return None
    if int(length) > LONGEST_BODY or any(name in environ for name in UNUSUAL):
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    if len(body) < int(length):  # the client went away
        return None
    carried = (environ["wsgi.url_scheme"], environ.get("HTTP_X_FORWARDED_PROTO", ""))
    return Question(path[1], path[2], body, carried)
