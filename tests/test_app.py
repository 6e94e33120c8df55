"""The app around the rooms: who gets in where, one ledger entry for each request, errors and headers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.routing import Rule

from explainer import errors
from explainer.access.permissions import Permission
from explainer.access.roles import LOCAL, ROLES, permissions_of
from explainer.app import SECURITY_HEADERS
from explainer.disclosure.levels import FULL
from explainer.errors import ExplainerError, ModelFailed, StorageFailed, WorkerTimedOut
from explainer.ledger.sqlite import Ledger
from explainer.records import LedgerEntry, Receipt
from explainer.settings import SESSION_COOKIE
from tests.house import House, build
from tests.registry.folders import ROW
from tests.usecases.test_explain import refuse_receipts

OPEN = {
    "health.alive",
    "health.ready",
    "webui.sign_in",
    "webui.sign_in_with_passkey",
    "webui.go_to_provider",
    "webui.come_back",
    "webui.accept_invitation",
    "webui.static",
    "webui.home",
    "document.static",
}
GRANTABLE = sorted(set(ROLES) - {LOCAL})
RECEIPT = "rcp_" + "0" * 26
FORMS = {
    "name": "credit",
    "version": "1.0",
    "id": RECEIPT,
    "receipt_id": RECEIPT,
    "filename": "page.css",
    "person_id": "usr_" + "0" * 16,
    "key_id": "aaaaaaaa",
    "file": "explanations.csv",
}
EXPLAIN = "/api/v1/models/credit/explain"
BODY = {"instances": [ROW]}


def closed_routes(house: House) -> list[tuple[str, str, str, Permission]]:
    """(verb, path, endpoint, permission) of every route that is not open."""
    app = house.client().application
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in OPEN:
            permission = getattr(app.view_functions[rule.endpoint], "permission", None)
            assert isinstance(permission, Permission), f"{rule.endpoint} states no permission"
            found += [(verb, path_of(rule), rule.endpoint, permission) for verb in sorted(rule.methods or ())]
    return [route for route in found if route[0] not in {"HEAD", "OPTIONS"}]


def path_of(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: FORMS.get(found[1], "1"), rule.rule)


def asked(house: House, verb: str, path: str, **headers: str) -> Any:
    return house.client().open(path, method=verb, json={} if verb == "POST" else None, headers=headers)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_the_open_routes_are_exactly_these(house: House) -> None:
    """Every route either states its permission or is one of those that are open on purpose."""
    endpoints = {rule.endpoint for rule in house.client().application.url_map.iter_rules()}
    assert endpoints > OPEN
    assert endpoints - OPEN == {endpoint for _, _, endpoint, _ in closed_routes(house)}


def test_nothing_but_the_open_routes_answers_without_credentials(house: House) -> None:
    """Without a key the API says 401, without a session a page leads to the sign-in; a bad key opens nothing either."""
    for verb, path, endpoint, _ in closed_routes(house):
        for headers in ({}, bearer("wrong"), bearer("xk_aaaaaaaa_" + "A" * 43), {"Cookie": f"{SESSION_COOKIE}=wrong"}):
            answer = asked(house, verb, path, **headers)
            if endpoint.startswith("webui."):
                assert answer.status_code == 302, (verb, path)
                assert answer.headers["Location"].startswith("/sign-in"), (verb, path)
            else:
                assert answer.status_code == 401, (verb, path)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer"), (verb, path)


def test_open_routes_answer_without_credentials(house: House) -> None:
    """Health, sign-in, static files and the address itself need nobody's name."""
    client = house.client()
    house.serving._first_round.set()
    for path in ("/healthz", "/readyz", "/sign-in", "/static/page.css", "/", "/api/docs/static/css/swagger-ui.css"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("role", GRANTABLE)
def test_a_key_opens_what_its_role_permits_and_nothing_else(house: House, role: str) -> None:
    """On every API route the answer is 403 exactly where the table of roles does not have the route's permission."""
    house.register()
    key = house.key(role)
    for verb, path, endpoint, permission in closed_routes(house):
        if not endpoint.startswith("webui."):
            answer = asked(house, verb, path, **bearer(key))
            assert answer.status_code != 401, (verb, path)
            assert (answer.status_code == 403) == (permission not in permissions_of(role)), (verb, path, answer.data)


@pytest.mark.parametrize("role", GRANTABLE)
def test_a_session_opens_what_its_role_permits_and_nothing_else(house: House, role: str) -> None:
    """The same for every page; forms carry the session's token. All see sizes, else pages refuse for that."""
    house.register()
    house.rooms.policies.set("application", "credit", FULL, "tests")
    for verb, path, endpoint, permission in closed_routes(house):
        if endpoint.startswith("webui."):
            client, token = house.person(role)
            answer = client.open(path, method=verb, data={"token": token} if verb == "POST" else None)
            assert (answer.status_code == 403) == (permission not in permissions_of(role)), (verb, path, answer.data)


def test_a_page_takes_no_key_and_the_api_no_session(house: House) -> None:
    """A browser's cookie, which other sites make it send, never reaches the API; a key opens no page."""
    client, _ = house.person()
    assert client.post(EXPLAIN, json=BODY).status_code == 401
    assert house.client().get("/models", headers=bearer(house.key())).status_code == 302


def test_a_key_for_one_model_opens_no_other(house: House) -> None:
    """Grants by model hold on every route that names one; the list shows only granted models."""
    house.register()
    house.register(name="other")
    key = house.key("owner", models=("other",))
    for verb, path, endpoint, _ in closed_routes(house):
        if endpoint.startswith("models.") and "/credit" in path and not path.endswith("/approve"):
            answer = house.client().open(path, method=verb, json=BODY if verb == "POST" else None, headers=bearer(key))
            assert answer.status_code == 403, path
    listed = house.client().get("/api/v1/models", headers=bearer(key)).json
    assert [m["name"] for m in listed["models"]] == ["other"]


def fail(error: BaseException) -> Callable[[House], None]:
    def arrange(house: House) -> None:
        house.workers.failing = error

    return arrange


def nothing(house: House) -> None:
    pass


CASES: list[tuple[str, Callable[[House], None], dict[str, Any], int, str]] = [
    ("answered", nothing, {"json": BODY}, 200, "answered"),
    ("not JSON", nothing, {"data": b"{", "content_type": "application/json"}, 400, "malformed"),
    ("not even said to be JSON", nothing, {"data": b"{}"}, 415, "unsupported-media"),
    ("too large", nothing, {"data": b" " * 5000, "content_type": "application/json"}, 413, "too-large"),
    ("a bad setting", nothing, {"json": {**BODY, "top": 0}}, 422, "invalid-option"),
    ("a setting this model lacks", nothing, {"json": {**BODY, "class": "ugly"}}, 422, "invalid-option"),
    ("bad rows", nothing, {"json": {"instances": [{**ROW, "amount": "much"}]}}, 422, "invalid-rows"),
    ("no rows", nothing, {"json": {"instances": []}}, 422, "invalid-rows"),
    ("too many rows", nothing, {"json": {"instances": [ROW] * 6}}, 413, "too-large"),
    ("the model fails", fail(ModelFailed("it divided by zero")), {"json": BODY}, 502, "model-failed"),
    ("the model hangs", fail(WorkerTimedOut("no answer")), {"json": BODY}, 504, "worker-timed-out"),
    ("a fault of ours", fail(RuntimeError("a bug")), {"json": BODY}, 500, "failed"),
]


@pytest.mark.parametrize(("name", "arrange", "sent", "status", "outcome"), CASES, ids=[c[0] for c in CASES])
def test_one_entry_whatever_happens(
    tmp_path: Any, name: str, arrange: Callable[[House], None], sent: dict[str, Any], status: int, outcome: str
) -> None:
    """Answered, refused, failed: exactly one entry with the outcome and the request's id, and the chain stands."""
    house = build(tmp_path, max_rows=5, max_body_bytes=4000)
    house.register()
    key = house.key()
    arrange(house)
    answer = house.client().post(EXPLAIN, headers={**bearer(key), "X-Request-ID": "my-request"}, **sent)
    assert answer.status_code == status, answer.data
    (entry,) = house.entries()
    assert (entry.entry.outcome, entry.entry.request_id) == (outcome, "my-request")
    assert entry.entry.principal.startswith("key_")
    assert house.rooms.ledger.verify().ok


def test_one_entry_on_every_other_api_route(house: House) -> None:
    """Every API route leaves exactly one entry, compare, which explains twice, too."""
    house.register()
    key = house.key()
    receipt = house.client().post(EXPLAIN, json=BODY, headers=bearer(key)).json["explanations"][0]["receipt"]
    for verb, path, endpoint, _ in closed_routes(house):
        asked_for = "?first=1&second=1" if path.endswith("/consistency") else ""
        if endpoint.startswith(("models.", "receipts.", "ledger.")) and not path.endswith("/approve"):
            before = len(house.entries())
            answer = house.client().open(
                path.replace(RECEIPT, receipt) + asked_for,
                method=verb,
                json=BODY if verb == "POST" else None,
                headers=bearer(key),
            )
            assert answer.status_code == 200, (path, answer.data)
            assert len(house.entries()) - before == 1, path


def test_one_entry_for_whoever_is_turned_away(house: House) -> None:
    """A wrong key, a role too small, a model not granted: one entry each, under the name that is known."""
    house.register()
    keys = ["wrong", house.key("administrator"), house.key("analyst", models=("other",))]
    for key in keys:
        house.client().post(EXPLAIN, json=BODY, headers=bearer(key))
    found = [(e.entry.principal.partition("_")[0], e.entry.outcome) for e in house.entries()]
    assert found == [("anonymous", "not-authenticated"), ("key", "not-permitted"), ("key", "not-permitted")]


def test_the_ledger_holds_no_value_of_a_row(house: House) -> None:
    """Whether rows are answered or refused, nothing of them is written down."""
    house.register()
    key = house.key()
    secret = {**ROW, "amount": 987.654321}
    house.client().post(EXPLAIN, json={"instances": [secret]}, headers=bearer(key))
    house.client().post(EXPLAIN, json={"instances": [{**secret, "purpose": "hush-hush"}]}, headers=bearer(key))
    assert len(house.entries()) == 2
    assert "987" not in str(house.entries())
    assert "hush" not in str(house.entries())


class FullLedger(Ledger):
    """A ledger whose disk is full from the moment that `full` is set."""

    full = False

    def append(self, entry: LedgerEntry, beside: Any = ()) -> int:
        if self.full:
            raise StorageFailed("The disk is full.")
        return super().append(entry, beside)


def with_full_ledger(house: House) -> House:
    ledger = FullLedger(house.rooms.settings.var / "ledger.db")
    ledger.full = True
    return house.with_rooms(ledger=ledger)


@pytest.mark.parametrize("sent", [{"json": BODY}, {"data": b"{", "content_type": "application/json"}])
def test_without_a_ledger_nothing_is_answered(house: House, sent: dict[str, Any]) -> None:
    """When the entry cannot be written no answer and no detail leaves: 503, whatever was asked."""
    house.register()
    key = house.key()
    answer = with_full_ledger(house).client().post(EXPLAIN, headers=bearer(key), **sent)
    assert answer.status_code == 503, answer.data
    assert answer.json["code"] == "storage-failed"
    assert answer.headers["Content-Security-Policy"]
    assert b"attribution" not in answer.data


def test_without_a_ledger_nobody_is_let_in_or_turned_away_unseen(house: House) -> None:
    """A wrong key too gets 503 while its entry cannot be written, and a page likewise."""
    broken = with_full_ledger(house)
    assert broken.client().post(EXPLAIN, json=BODY, headers=bearer("wrong")).status_code == 503
    page = broken.client().get("/models", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "A record could not be kept" in page.text


def test_without_receipts_nothing_is_answered(house: House) -> None:
    """When the receipt cannot be kept the answer is 503, and the ledger says so in one entry."""
    house.register()
    key = house.key()
    refuse_receipts(house)
    answer = house.client().post(EXPLAIN, json=BODY, headers=bearer(key))
    assert (answer.status_code, answer.json["code"]) == (503, "storage-failed")
    assert [e.entry.outcome for e in house.entries()] == ["storage-failed"]


def test_a_fault_of_ours_says_nothing_of_the_inside(house: House) -> None:
    """An unexpected exception is answered as 500 with the request's id and without its text."""
    house.register()
    house.workers.failing = RuntimeError("secret path /srv/x")
    answer = house.client().post(EXPLAIN, json=BODY, headers=bearer(house.key()))
    assert answer.json["code"] == "internal"
    assert answer.json["request_id"] in answer.json["detail"]
    assert "secret" not in answer.text


def test_a_fault_outside_a_use_case_is_recorded(house: House) -> None:
    """Where the exception comes before or after the use case there is one entry all the same."""
    client = house.client()
    client.application.view_functions["models.list_all"] = _stumble
    answer = client.get("/api/v1/models", headers=bearer(house.key()))
    assert answer.status_code == 500
    assert [e.entry.outcome for e in house.entries()] == ["internal"]


def _stumble(**_: Any) -> Any:
    raise ZeroDivisionError


_stumble.permission = Permission.CARD_READ  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("verb", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not-found"), ("PUT", "/healthz", 405, "method-not-allowed")],
)
def test_what_is_not_there_is_a_problem_too(house: House, verb: str, path: str, status: int, code: str) -> None:
    """The router's own errors have the one JSON shape, and are pages for a browser."""
    answer = house.client().open(path, method=verb)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json["code"] == code
    if not path.startswith("/healthz"):
        page = house.client().open(path, method=verb, headers={"Accept": "text/html"})
        assert (page.status_code, page.mimetype) == (status, "text/html")


def test_a_405_names_the_verbs_that_are_allowed(house: House) -> None:
    """RFC 9110 asks for an Allow header on every 405."""
    assert "GET" in house.client().put("/healthz").headers["Allow"]


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/sign-in", "/static/page.css", "/api/v1/models", "/models"])
def test_every_answer_carries_the_security_headers(house: House, path: str) -> None:
    """Answers, redirects, errors and files alike, each with its request id."""
    answer = house.client().get(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Request-ID"]
    assert "Strict-Transport-Security" not in answer.headers


def test_tls_is_asked_for_again(house: House) -> None:
    """Over TLS the browser is told to keep to it."""
    answer = house.client().get("/healthz", base_url="https://localhost")
    assert "max-age" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcDEF-1.2_3", True),
        ("short", False),
        ("x" * 65, False),
        ("white space!", False),
        ("", False),
        ("ä" * 9, False),
    ],
)
def test_a_request_id_is_kept_where_it_is_harmless(house: House, given: str, kept: bool) -> None:
    """A caller's own id is used when it is 8 to 64 plain characters; else one is made."""
    answer = house.client().get("/healthz", headers={"X-Request-ID": given.encode().decode("latin-1")})
    assert (answer.headers["X-Request-ID"] == given) is kept
    assert len(answer.headers["X-Request-ID"]) >= 8


def test_answers_about_rows_are_never_stored_on_the_way(house: House) -> None:
    """JSON answers and pages are private; only static files may be kept."""
    house.register()
    client, _ = house.person()
    answers = [client.get("/models"), house.client().post(EXPLAIN, json=BODY, headers=bearer(house.key()))]
    assert all(a.headers["Cache-Control"] == "private, no-store" for a in answers)
    assert "public" in client.get("/static/page.css").headers["Cache-Control"]


def test_readiness_says_why_not(house: House) -> None:
    """503 while models are being opened or one failed to, with the reason; 200 once all answer."""
    assert house.client().get("/readyz").status_code == 503
    house.register()
    house.workers.open_failing = ModelFailed("its file is torn")
    house.serving._round()
    house.serving._first_round.set()
    answer = house.client().get("/readyz")
    assert answer.status_code == 503
    assert "credit version 1.0: its file is torn" in answer.json["detail"]
    assert answer.headers["Retry-After"] == "1"


def test_statuses_of_errors_are_those_of_the_table() -> None:
    """Each error class answers with its own status, so that a caller may rely on it (RFC 9457 form)."""
    kinds = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, ExplainerError)]
    assert all(400 <= kind.status < 600 for kind in kinds)


def test_receipts_of_others_look_like_none(house: House) -> None:
    """Who may not read a receipt cannot tell it from one that does not exist."""
    house.register()
    receipt = house.client().post(EXPLAIN, json=BODY, headers=bearer(house.key())).json["explanations"][0]["receipt"]
    other = house.key("analyst")
    foreign, absent = (house.client().get(f"/api/v1/receipts/{r}", headers=bearer(other)) for r in (receipt, RECEIPT))
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json["detail"].replace(receipt, "") == absent.json["detail"].replace(RECEIPT, "")
    assert isinstance(house.rooms.receipts.get(receipt), Receipt)
