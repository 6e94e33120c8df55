"""The quick way of a repeated body: it says what the whole way says, or it is not taken."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import sqlite3
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from explainer.access.permissions import Permission
from explainer.access.roles import LOCAL, ROLES, permissions_of
from explainer.api.quick import QuickWay
from explainer.app import create_app
from explainer.errors import WorkerDied
from explainer.usecases.again import LONGEST_BODY
from tests.house import House, build
from tests.registry.folders import ROW
from tests.usecases.test_answering import Late

EXPLAIN = "/api/v1/models/credit/explain"
MAY_EXPLAIN = sorted(r for r in set(ROLES) - {LOCAL} if Permission.EXPLANATION_CREATE in permissions_of(r))


def client(house: House) -> FlaskClient:
    """A client of the app behind the quick way."""
    app = create_app(house.rooms, house.serving)
    app.wsgi_app = QuickWay(app.wsgi_app, house.rooms, house.serving)  # type: ignore[method-assign]
    return app.test_client()


def memo(client: FlaskClient) -> Any:
    door: Any = client.application.wsgi_app
    return door.answers


def post(client: FlaskClient, key: str, body: Any, path: str = EXPLAIN, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {key}", "X-Request-ID": "the-request", **headers}
    return client.post(path, data=data, content_type="application/json", headers=sent)


def test_a_repeated_body_is_answered_in_the_same_bytes(house: House) -> None:
    """Once the cache knew all of it, nothing but the request's id differs, and each time there is one entry."""
    house.register()
    at, key = client(house), house.key()
    answers = [post(at, key, {"instances": [ROW]}) for _ in range(4)]
    assert [a.json["explanations"][0]["cache"] for a in answers] == ["miss", "hit", "hit", "hit"]
    assert answers[1].data == answers[2].data == answers[3].data
    assert dict(answers[1].headers) == dict(answers[3].headers)
    assert memo(at).size_bytes > len(answers[1].data)
    other = post(at, key, {"instances": [ROW]}, **{"X-Request-ID": "another-one"})
    assert other.data == answers[1].data.replace(b"the-request", b"another-one")
    entries = house.entries()
    assert len(entries) == 5
    assert entries[1].entry == entries[2].entry == entries[3].entry
    assert entries[4].entry.request_id == "another-one"


ROWS = st.fixed_dictionaries(
    {
        "amount": st.sampled_from([0.0, -0.0, 1, 12.5, 1e3]),
        "months": st.sampled_from([1, 24, None]),
        "purpose": st.sampled_from(["car", "house"]),
        "phone": st.sampled_from([True, False, None]),
    }
)
BODIES = st.fixed_dictionaries(
    {"instances": st.lists(ROWS, min_size=1, max_size=3)},
    optional={
        "method": st.sampled_from(["auto", "shap", "lime", "exact", "magic"]),
        "output": st.sampled_from(["probability", "log_odds", "raw", None]),
        "class": st.sampled_from(["bad", "good", "all", "ugly"]),
        "top": st.sampled_from([1, 2, 99, 0, None]),
        "deadline_ms": st.sampled_from([1, 1000]),
        "seed": st.sampled_from([0, 7]),
        "background": st.just({"rows": [list(ROW.values())]}),
    },
)
PATHS = [EXPLAIN, "/api/v1/models/credit/versions/1.0/explain", "/api/v1/models/credit/versions/9/explain"]


@pytest.fixture(scope="module")
def two_ways(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One house with two doors: one that remembers what it said, and one that never does."""
    house = build(tmp_path_factory.mktemp("ways"))
    house.register()
    house.register(version="2.0")
    slow = house.with_rooms(settings=build(tmp_path_factory.mktemp("none"), answer_memory_mb=0).rooms.settings)
    keys = {role: house.key(role) for role in MAY_EXPLAIN}
    keys["granted elsewhere"] = house.key("analyst", models=("other",))
    return client(house), client(slow), keys


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(BODIES, st.integers(0, 99), st.sampled_from(PATHS)), min_size=1, max_size=3))
def test_both_ways_say_the_same(two_ways: Any, asked: list[tuple[dict[str, Any], int, str]]) -> None:
    """Bodies, roles, versions, settings good and bad, in turn: status, headers and bytes are those of the whole way."""
    quick, slow, keys = two_ways
    for body, who, path in asked:
        key = keys[sorted(keys)[who % len(keys)]]
        for _ in range(2):
            post(quick, key, body, path)  # the cache knows it, then the memo
        found, expected = post(quick, key, body, path), post(slow, key, body, path)
        assert (found.status_code, found.data) == (expected.status_code, expected.data)
        assert fixed(found) == fixed(expected)
    assert memo(slow).size_bytes == 0


def fixed(answer: Any) -> dict[str, str]:
    """The headers without what is left of a budget, which is less each time."""
    moving = {"ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}
    return {name: value for name, value in answer.headers.items() if name.lower() not in moving}


def test_the_quick_way_was_taken(two_ways: Any) -> None:
    """The property above is of the memo: it holds answers."""
    quick, _, keys = two_ways
    post(quick, keys["demo"], {"instances": [ROW]})
    post(quick, keys["demo"], {"instances": [ROW]})
    assert memo(quick).size_bytes > 0


def remembered(house: House) -> tuple[FlaskClient, str, bytes]:
    """A client that has been told an answer by the quick way."""
    at, key = client(house), house.key("analyst")
    told = [post(at, key, {"instances": [ROW]}) for _ in range(3)]
    assert told[2].data == told[1].data
    return at, key, told[2].data


def test_a_receipt_is_its_principals_own(house: House) -> None:
    """Another key with the same body is told its own receipt, and cannot read the first one's."""
    house.register()
    at, key, _ = remembered(house)
    other = house.key("analyst")
    mine, theirs = (
        [post(at, k, {"instances": [ROW]}) for _ in range(3)][-1].json["explanations"][0]["receipt"]
        for k in (key, other)
    )
    assert mine != theirs
    for k, receipt, status in [(key, mine, 200), (other, theirs, 200), (key, theirs, 404), (other, mine, 404)]:
        answer = at.get(f"/api/v1/receipts/{receipt}", headers={"Authorization": f"Bearer {k}"})
        assert answer.status_code == status


def test_a_removed_receipt_is_never_named_again(house: House) -> None:
    """Retention and erasure remove receipts while the memo knows them: the next answer has a new one that is there."""
    house.register()
    at, key, told = remembered(house)
    old = json.loads(told)["explanations"][0]["receipt"]
    connection = sqlite3.connect(house.rooms.settings.var / "ledger.db")
    connection.execute("DELETE FROM receipts")
    connection.commit()
    connection.close()
    new = post(at, key, {"instances": [ROW]}).json["explanations"][0]["receipt"]
    assert new != old
    assert house.rooms.receipts.get(new).id == new
    assert [e.entry.body["first_receipt"] for e in house.entries()][-2:] == [old, new]


def test_a_retired_version_is_not_remembered(house: House) -> None:
    """Retired, the body is a conflict as by the whole way; recorded as one."""
    house.register()
    at, key, _ = remembered(house)
    house.rooms.registry.retire("credit", "1.0")
    assert post(at, key, {"instances": [ROW]}).status_code == 409
    assert house.entries()[-1].entry.outcome == "conflict"


def test_a_new_version_answers_itself(house: House) -> None:
    """The newest version answers a body that the one before had answered."""
    house.register()
    at, key, _ = remembered(house)
    second = house.register(version="2.0")
    answer = post(at, key, {"instances": [ROW]})
    assert answer.json["model"]["digest"] == second.digest
    assert answer.json["explanations"][0]["cache"] == "miss"


def test_other_methods_answer_themselves(house: House) -> None:
    """When the workers come back with another version of a method, what was said before does not count."""
    house.register()
    at, key, _ = remembered(house)
    (digest,) = house.workers.orders
    before = house.workers.report(digest)
    house.workers.report = lambda _: dataclasses.replace(before, methods={**before.methods, "exact": 2})  # type: ignore[assignment,method-assign]
    assert post(at, key, {"instances": [ROW]}).json["explanations"][0]["cache"] == "miss"


def test_a_version_out_of_service_is_not_answered_from_memory(house: House) -> None:
    """When the workers are gone and cannot be had again, the reason is said."""
    house.register()
    at, key, _ = remembered(house)
    house.workers.orders.clear()
    house.workers.open_failing = WorkerDied("it eats memory")
    assert post(at, key, {"instances": [ROW]}).status_code == 503


def test_a_revoked_key_is_told_nothing(house: House) -> None:
    """Who may ask is asked first, whatever is remembered."""
    house.register()
    at, key, _ = remembered(house)
    house.rooms.access.keys.revoke(key.split("_")[1])
    assert post(at, key, {"instances": [ROW]}).status_code == 401


def test_without_a_ledger_nothing_is_said_again(house: House) -> None:
    """When the entry cannot be written there is no answer."""
    house.register()
    at, key, _ = remembered(house)
    connection = sqlite3.connect(house.rooms.settings.var / "ledger.db")
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'full'); END")
    connection.commit()
    connection.close()
    answer = post(at, key, {"instances": [ROW]})
    assert (answer.status_code, answer.json["code"]) == (503, "storage-failed")
    assert b"attribution" not in answer.data


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/json; charset=utf-8"}, 200),
        ({"data": b'{"instances": []}'}, 422),
        ({"data": json.dumps({"instances": [ROW]}).encode() + b" "}, 200),
        ({"query_string": "top=1"}, 200),
        ({"method": "PUT"}, 405),
        ({"headers": {"Authorization": "Bearer wrong"}}, 401),
        ({"headers": {}}, 401),
        ({"headers": {"Authorization": "Basic eDp5"}}, 401),
    ],
)
def test_what_is_not_the_same_request_goes_the_whole_way(house: House, change: dict[str, Any], status: int) -> None:
    """Another media type, body, verb or key is looked at by the app itself, which answers and records it."""
    house.register()
    at, key, _ = remembered(house)
    told: list[Any] = []
    at.application.wsgi_app._told = told.append  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {key}"}
    sent = {"data": json.dumps({"instances": [ROW]}).encode(), "content_type": "application/json", "method": "POST"}
    answer = at.open(EXPLAIN, **{"headers": headers, **sent, **change})
    assert answer.status_code == status, answer.data
    assert told == []


def test_who_counts_requests_is_told(house: House) -> None:
    """For each quick answer route, principal, model, id and time are told: meters and the log lose nothing."""
    house.register()
    at, key, _ = remembered(house)
    told: list[Any] = []
    at.application.wsgi_app._told = told.append  # type: ignore[attr-defined]
    post(at, key, {"instances": [ROW]})
    (one,) = told
    assert (one.principal, one.model, one.request_id) == (f"key_{key.split('_')[1]}", "credit", "the-request")
    assert one.route == "/api/v1/models/{name}/explain"
    assert 0 < one.seconds < 60


def test_a_truncated_body_is_the_apps_matter(house: House) -> None:
    """A body that ends before its stated length is not taken for the one that was answered, equal as it may be."""
    house.register()
    at, key, _ = remembered(house)
    told: list[Any] = []
    at.application.wsgi_app._told = told.append  # type: ignore[attr-defined]
    data = json.dumps({"instances": [ROW]}).encode()
    builder = EnvironBuilder(EXPLAIN, method="POST", data=data, content_type="application/json")
    builder.headers["Authorization"] = f"Bearer {key}"
    environ = builder.get_environ()
    at.run_wsgi_app({**environ, "CONTENT_LENGTH": str(len(data) + 10)})
    assert told == []
    at.run_wsgi_app({**environ, "wsgi.input": io.BytesIO(data)})
    assert len(told) == 1


def test_long_bodies_and_misses_are_not_remembered(house: House) -> None:
    """Many rows, and what was computed just now, go the whole way."""
    house.register()
    at, key = client(house), house.key()
    post(at, key, {"instances": [ROW]})
    assert memo(at).size_bytes == 0
    long = json.dumps({"instances": [ROW]}).encode() + b" " * LONGEST_BODY
    for _ in range(3):
        assert post(at, key, long).status_code == 200
    assert memo(at).size_bytes == 0


def test_what_a_deadline_cut_is_never_remembered(house: House) -> None:
    """Such an answer is computed anew each time, so it never is a hit that could be repeated."""
    house.register()
    late = house.with_rooms(workers=Late())
    at, key = client(late), late.key()
    body = {"instances": [ROW], "deadline_ms": 5}
    assert [post(at, key, body).json["explanations"][0]["cache"] for _ in range(3)] == ["miss"] * 3
    assert memo(at).size_bytes == 0


def test_the_memo_is_bounded(tmp_path: Any) -> None:
    """However many bodies are sent twice, no more bytes are remembered than the setting says."""
    house = build(tmp_path, answer_memory_mb=1)
    house.register()
    at, key = client(house), house.key()
    for i in itertools.chain(*([i, i] for i in range(300))):
        post(at, key, {"instances": [{**ROW, "amount": float(i % 1000)}] * 5})
    assert 500_000 < memo(at).size_bytes <= 1_000_000
