"""Every bad input is a 4xx that says what to do, nothing is computed, and the next good request is answered."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.service.conftest import Service

MODEL = "credit-gbm"
EXPLAIN = f"/api/v1/models/{MODEL}/explain"


def row(service: Service, **changes: Any) -> dict[str, Any]:
    return {**service.samples(MODEL)[0], **changes}


def without(service: Service, name: str) -> dict[str, Any]:
    return {k: v for k, v in row(service).items() if k != name}


ROWS = {
    "empty list": (lambda _: [], "instances"),
    "not a list": (row, "instances"),
    "a string": (lambda _: "rows", "instances"),
    "null": (lambda s: None, "instances"),
    "empty row": (lambda s: [{}], "duration_months"),
    "empty array": (lambda s: [[]], "19"),
    "short array": (lambda s: [list(row(s).values())[:-1]], "19"),
    "long array": (lambda s: [[*row(s).values(), 1]], "19"),
    "row is a number": (lambda s: [7], "row"),
    "row is a list of lists": (lambda s: [[[1]]], "row"),
    "mixed rows": (lambda s: [row(s), list(row(s).values())], "row"),
    "missing feature": (lambda s: [without(s, "amount_dm")], "amount_dm"),
    "misspelt feature": (lambda s: [{**without(s, "amount_dm"), "amount_md": 5}], "amount_dm"),
    "extra feature": (lambda s: [row(s, shoe_size=44)], "shoe_size"),
    "unknown category": (lambda s: [row(s, housing="castle")], "castle"),
    "category in other case": (lambda s: [row(s, housing="Rent")], "rent"),
    "category as number": (lambda s: [row(s, housing=1)], "housing"),
    "category as list": (lambda s: [row(s, housing=["rent"])], "housing"),
    "number in string": (lambda s: [row(s, amount_dm="1000")], "amount_dm"),
    "number as boolean": (lambda s: [row(s, amount_dm=True)], "amount_dm"),
    "number as object": (lambda s: [row(s, amount_dm={"value": 5})], "amount_dm"),
    "fraction for an integer": (lambda s: [row(s, age_years=30.5)], "age_years"),
    "missing value": (lambda s: [row(s, amount_dm=None)], "amount_dm"),
    "missing category": (lambda s: [row(s, housing=None)], "housing"),
    "below the range": (lambda s: [row(s, age_years=-3)], "age_years"),
    "above the range": (lambda s: [row(s, amount_dm=10**15)], "amount_dm"),
    "beyond exact integers": (lambda s: [row(s, amount_dm=2**60)], "amount_dm"),
    "second row is bad": (lambda s: [row(s), row(s, housing="castle")], "1"),
    "control characters": (lambda s: [row(s, housing="rent\u0000")], "housing"),
    "huge category": (lambda s: [row(s, housing="x" * 100_000)], "housing"),
    "markup as category": (lambda s: [row(s, housing="<script>alert(1)</script>")], "housing"),
}


@pytest.mark.parametrize("case", ROWS)
def test_bad_rows_are_refused_by_name(service: Service, case: str) -> None:
    """A row that does not fit the schema is a 422 whose text names the row, feature or rule."""
    make, named = ROWS[case]
    answer = service.explain(MODEL, make(service))
    assert answer.status == 422, answer.body
    check_problem(answer.body)
    assert named in json.dumps(answer.body), answer.body
    check_alive(service)


SETTINGS = {
    "unknown method": ({"method": "magic"}, "method"),
    "method not a string": ({"method": 3}, "method"),
    "method null": ({"method": None}, "method"),
    "unknown output": ({"output": "percent"}, "output"),
    "unknown class": ({"class": "maybe"}, "class"),
    "unknown background": ({"background": "other"}, "background"),
    "top zero": ({"top": 0}, "top"),
    "top as string": ({"top": "3"}, "top"),
    "negative tolerance": ({"tolerance": -0.1}, "tolerance"),
    "tolerance zero": ({"tolerance": 0}, "tolerance"),
    "no evaluations": ({"max_evaluations": 0}, "max_evaluations"),
    "too many evaluations": ({"max_evaluations": 10**12}, "max_evaluations"),
    "no time": ({"deadline_ms": 0}, "deadline_ms"),
    "negative seed": ({"seed": -1}, "seed"),
    "seed too large": ({"seed": 2**64}, "seed"),
    "unknown setting": ({"colour": "red"}, "colour"),
    "method that does not fit": ({"method": "linear"}, "linear"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_bad_settings_are_refused_by_name(service: Service, case: str) -> None:
    """A setting that cannot be honoured is a 422 that names it."""
    settings, named = SETTINGS[case]
    answer = service.explain(MODEL, [row(service)], **settings)
    assert answer.status == 422, answer.body
    check_problem(answer.body)
    assert named in json.dumps(answer.body)
    check_alive(service)


BODIES = {
    "empty": (b"", 400),
    "blank": (b"   ", 400),
    "not JSON": (b"instances=1", 400),
    "cut off": (b'{"instances": [{"a": 1', 400),
    "trailing comma": (b'{"instances": [],}', 400),
    "two documents": (b'{"instances": []} {}', 400),
    "NaN": (b'{"instances": [[NaN]]}', 400),
    "Infinity": (b'{"instances": [[Infinity]]}', 400),
    "minus Infinity": (b'{"instances": [[-Infinity]]}', 400),
    "1e999": (b'{"instances": [[1e999]]}', 400),
    "a thousand digits": (b'{"instances": [[' + b"9" * 1000 + b"]]}", 400),
    "duplicate keys": (b'{"instances": [], "instances": [[1]]}', 400),
    "duplicate keys in a row": (b'{"instances": [{"a": 1, "a": 2}]}', 400),
    "deep arrays": (b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "deep objects": (b'{"instances": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}", 400),
    "moderately deep": (b'{"instances": ' + b"[" * 40 + b"]" * 40 + b"}", 400),
    "latin-1": ('{"instances": ["Ä"]}'.encode("latin-1"), 400),
    "utf-16": ('{"instances": []}'.encode("utf-16"), 400),
    "half a surrogate": (b'{"instances": [["\\ud800"]]}', 400),
    "an array": (b"[]", 422),
    "a number": (b"5", 422),
    "null": (b"null", 422),
    "no instances": (b"{}", 422),
}


@pytest.mark.parametrize("case", BODIES)
def test_bad_bodies_are_refused(service: Service, case: str) -> None:
    """A body that is no strict JSON of the right form is a 4xx problem, never a 5xx."""
    body, status = BODIES[case]
    answer = service.call("POST", EXPLAIN, raw=body)
    assert answer.status == status, answer.body
    check_problem(answer.body)
    check_alive(service)


def test_a_too_large_body_is_refused_before_it_is_sent(service: Service) -> None:
    """The announced length alone is enough for a 413; the service does not wait for the bytes."""
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", EXPLAIN)
    for name, value in {"Authorization": f"Bearer {service.key}", "Content-Length": "8000001"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Type", "application/json")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    check_problem(json.loads(answer.read()))
    connection.close()
    check_alive(service)


ROUTES = {
    "unknown model": ("POST", "/api/v1/models/nobody/explain", 404),
    "unknown version": ("POST", f"/api/v1/models/{MODEL}/versions/99/explain", 404),
    "model name with dots": ("POST", "/api/v1/models/../explain", 422),
    "model name in capitals": ("POST", "/api/v1/models/CREDIT-GBM/explain", 422),
    "model name with a null": ("POST", "/api/v1/models/credit%00gbm/explain", 422),
    "wrong verb": ("GET", EXPLAIN, 405),
    "unknown route": ("GET", "/api/v1/nothing", 404),
    "unknown receipt": ("GET", "/api/v1/receipts/rcp_" + "0" * 26, 404),
    "no receipt id": ("GET", "/api/v1/receipts/1", 422),
}


@pytest.mark.parametrize("case", ROUTES)
def test_bad_routes_are_refused(service: Service, case: str) -> None:
    """A wrong path or verb is a 4xx problem."""
    verb, path, status = ROUTES[case]
    answer = service.call(verb, path, {"instances": [row(service)]} if verb == "POST" else None)
    assert answer.status == status, answer.body
    check_problem(answer.body)


def test_wrong_content_type_is_refused(service: Service) -> None:
    """Only application/json is read."""
    body = json.dumps({"instances": [row(service)]}).encode()
    answer = service.call("POST", EXPLAIN, raw=body, Content_Type="text/plain")
    assert answer.status == 415
    check_problem(answer.body)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", "Basic ZGVtbzpkZW1v", "Bearer xk_00000000_" + "A" * 43, "Bearer " + "x" * 5000],
)
def test_nothing_is_answered_without_a_key(service: Service, authorization: str) -> None:
    """A missing, malformed or unknown key is a 401 that says how to authenticate, before the body is read."""
    answer = service.call("POST", EXPLAIN, raw=b"not even JSON", Authorization=authorization)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    check_problem(answer.body)


def check_problem(body: Any) -> None:
    assert isinstance(body, dict), body
    assert {"type", "title", "status", "code", "detail", "request_id"} <= set(body)
    assert len(body["detail"]) > 10
    assert len(json.dumps(body)) < 50_000
    assert "Traceback" not in json.dumps(body)


def check_alive(service: Service) -> None:
    assert service.explain(MODEL, [row(service)]).status == 200
