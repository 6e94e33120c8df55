"""Proves that every request is measured and logged once, by its route, without anything that was sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, abort, g, request
from werkzeug.exceptions import HTTPException

from explainer.api.watching import watch_requests
from explainer.logs import JsonLines
from explainer.monitoring.cells import Cells
from explainer.monitoring.page import page
from explainer.monitoring.recording import LIVE, FileMeters
from explainer.records import Principal
from explainer.usecases.rooms import Caller
from tests.monitoring.conftest import READINGS, samples

SECRET = "plantedvalue987"


class Watched:
    """A small app with the hooks, its counts and its lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[dict[str, Any]] = []
        self.app = Flask("watched")
        watch_requests(self.app, FileMeters(Cells(folder, "web", LIVE)))
        self.app.before_request(self._name)
        self.app.add_url_rule("/models/<name>/explain", view_func=self._explain, methods=["POST"], endpoint="explain")
        self.app.add_url_rule("/files/<path:filename>", view_func=lambda filename: "", endpoint="files")
        self.app.add_url_rule("/readyz", view_func=lambda: abort(503), endpoint="ready")
        self.app.register_error_handler(HTTPException, self._refuse)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(JsonLines("web").format(record)))

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return samples(page(self.folder, READINGS))

    def requests(self) -> dict[tuple[str, ...], float]:
        name = "explainer_http_requests_total"
        return {tuple(v for _, v in labels): n for (found, labels), n in self.samples().items() if found == name}

    @staticmethod
    def _name() -> None:
        g.request_id = "r-1"
        if "Authorization" in request.headers:
            g.caller = Caller(Principal("key_abc", "key", "application", "Ada Lovelace"), "r-1", "api")

    @staticmethod
    def _explain(name: str) -> str:
        if name == "broken":
            raise ZeroDivisionError
        if name == "unknown":
            abort(404)
        return "ok"

    @staticmethod
    def _refuse(error: HTTPException) -> Response:
        g.problem = "not-found" if error.code == 404 else "not-ready"
        return Response("", status=error.code or 500)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    handler = logging.Handler()
    handler.emit = made.emit  # type: ignore[method-assign]
    log = logging.getLogger("explainer.api.watching")
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield made
    log.removeHandler(handler)
    log.setLevel(before)


def test_a_request_is_counted_and_logged_by_route(watched: Watched) -> None:
    """One line with who (by id), what and how long; one count under the template of the route."""
    answer = watched.app.test_client().post("/models/credit/explain", headers={"Authorization": "x"}, data=SECRET)
    assert answer.status_code == 200
    (line,) = watched.lines
    assert line.pop("duration_ms") > 0
    kept = ("event", "message", "request_id", "principal", "model", "method", "route", "status")
    assert {name: line[name] for name in kept} == {
        "event": "http.request",
        "message": "POST /models/{name}/explain 200",
        "request_id": "r-1",
        "principal": "key_abc",
        "model": "credit",
        "method": "POST",
        "route": "/models/{name}/explain",
        "status": 200,
    }
    assert "Lovelace" not in json.dumps(line)
    assert watched.requests() == {("POST", "/models/{name}/explain", "200"): 1}
    assert watched.samples()["explainer_http_requests_in_flight", ()] == 0


def test_nothing_that_was_sent_is_in_the_line(watched: Watched) -> None:
    """Address, query, headers, body, and a model that does not exist: only the route is named."""
    client = watched.app.test_client()
    client.post(f"/models/unknown/explain?row={SECRET}", data=SECRET, headers={"X-Row": SECRET, "User-Agent": SECRET})
    client.get(f"/{SECRET}")
    client.get(f"/files/{SECRET}")
    client.open(f"/{SECRET}", method=SECRET)
    assert len(watched.lines) == 4
    assert SECRET not in json.dumps(watched.lines).lower()
    assert [line["route"] for line in watched.lines] == ["/models/{name}/explain", "none", "/files/{filename}", "none"]
    assert "model" not in watched.lines[0]
    assert watched.lines[0]["code"] == "not-found"
    assert SECRET not in str(watched.samples())
    assert ("other", "none", "404") in watched.requests()


def test_many_inventions_make_no_new_series(watched: Watched) -> None:
    """A thousand addresses that do not exist are one series."""
    client = watched.app.test_client()
    for i in range(1000):
        client.get(f"/invented/{i}")
    assert watched.requests() == {("GET", "none", "404"): 1000}


def test_a_failure_that_no_handler_answers_is_counted(watched: Watched) -> None:
    """The request is no longer in flight, and a 500 was answered."""
    watched.app.testing = False
    assert watched.app.test_client().post("/models/broken/explain").status_code == 500
    assert watched.requests() == {("POST", "/models/{name}/explain", "500"): 1}
    assert watched.samples()["explainer_http_requests_in_flight", ()] == 0


def test_a_failure_that_reaches_the_server_is_counted_too(watched: Watched) -> None:
    """Where the app lets the exception through, the end of the request is told all the same."""
    watched.app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ZeroDivisionError):
        watched.app.test_client().post("/models/broken/explain")
    assert watched.requests() == {("POST", "/models/{name}/explain", "500"): 1}
    assert watched.samples()["explainer_problems_total", (("code", "internal"), ("status", "500"))] == 1
    assert watched.samples()["explainer_http_requests_in_flight", ()] == 0


def test_polling_for_readiness_is_counted_but_writes_no_lines(watched: Watched) -> None:
    """While models are being opened, /readyz is asked again and again."""
    for _ in range(20):
        assert watched.app.test_client().get("/readyz").status_code == 503
    assert watched.lines == []
    assert watched.requests() == {("GET", "/readyz", "503"): 20}
