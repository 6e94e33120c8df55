"""Routes of exports."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from explainer.api import exports
from explainer.app import create_app
from explainer.exports.holders import this_process
from explainer.usecases.exports_run import Exporter
from tests.house import House
from tests.registry.folders import ROW

CSV = b"id,amount,months,purpose,phone\n7,12.5,24,house,true\n8,much,24,car,true\n"
PATH = "/api/v1/exports"


@pytest.fixture
def client(house: House) -> FlaskClient:
    house.register()
    app = create_app(house.rooms, house.serving)
    if "exports" not in app.blueprints:
        app.register_api(exports.blueprint)
    return app.test_client()


@pytest.fixture
def key(house: House) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.key()}"}


def run(house: House) -> None:
    Exporter(house.rooms, house.serving, this_process(), lambda: False).turn()


def sent(client: FlaskClient, key: dict[str, str], **more: Any) -> Any:
    return client.post(PATH, json={"model": "credit", "instances": [ROW, ROW], **more}, headers=key)


def test_json_in_files_out(client: FlaskClient, house: House, key: dict[str, str]) -> None:
    """202 with where to look; then progress, then files with their digest, whole or in ranges."""
    answer = sent(client, key, format="csv", top=2)
    assert answer.status_code == 202
    export = answer.json["export"]
    assert answer.headers["Location"] == f"{PATH}/{export['id']}"
    assert (export["state"], export["progress"]["rows"], export["files"]) == ("queued", 0, [])
    run(house)
    done = client.get(answer.headers["Location"], headers=key).json["export"]
    assert (done["state"], done["progress"]["explained"], done["progress"]["share"]) == ("done", 2, 1.0)
    names = [file["name"] for file in done["files"]]
    assert names[0] == "explanations.csv"
    whole = client.get(done["files"][0]["href"], headers=key)
    assert whole.status_code == 200
    digest = base64.b64encode(hashlib.sha256(whole.data).digest()).decode()
    assert whole.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert whole.headers["Content-Disposition"].startswith("attachment; filename=")
    assert whole.mimetype == "text/csv"
    part = client.get(done["files"][0]["href"], headers={**key, "Range": "bytes=5-14"})
    assert (part.status_code, part.data) == (206, whole.data[5:15])
    assert part.headers["Content-Range"] == f"bytes 5-14/{len(whole.data)}"
    same = client.get(done["files"][0]["href"], headers={**key, "If-None-Match": whole.headers["ETag"]})
    assert same.status_code == 304
    listed = client.get(PATH, headers=key).json["exports"]
    assert [e["id"] for e in listed] == [export["id"]]


def test_a_file_as_the_body(client: FlaskClient, house: House, key: dict[str, str]) -> None:
    """CSV with the settings in the query; a bad row is rejected and the carried column is in the output."""
    answer = client.post(
        f"{PATH}?model=credit&carry=id&format=jsonl&where=prediction>=0", data=CSV, headers=key, content_type="text/csv"
    )
    assert answer.status_code == 202
    run(house)
    done = client.get(answer.headers["Location"], headers=key).json["export"]
    assert (done["progress"]["explained"], done["progress"]["rejected"]) == (1, 1)
    row = json.loads(client.get(done["files"][0]["href"], headers=key).data)
    assert row["carry"] == {"id": "7"}


@pytest.mark.parametrize(
    ("sent_as", "status"),
    [
        ((b"{}", "application/json", ""), 422),
        ((b'{"model": "credit"}', "application/json", ""), 422),
        ((b'{"model": "credit", "instances": [], "colour": 1}', "application/json", ""), 422),
        ((b'{"model": "credit", "instances": []}', "application/json", ""), 400),
        ((b'{"model": "credit", "instances": [1], "file": "a.csv"}', "application/json", ""), 422),
        ((b'{"model": "credit", "instances": [{}], "format": "xlsx"}', "application/json", ""), 422),
        ((b'{"model": "credit", "instances": [{}], "priority": "1"}', "application/json", ""), 422),
        ((b"{", "application/json", ""), 400),
        ((CSV, "text/csv", ""), 422),
        ((CSV, "text/csv", "?model=credit"), 422),
        ((CSV, "text/csv", "?model=credit&carry=id&colour=red"), 422),
        ((CSV, "text/csv", "?model=absent&carry=id"), 404),
        ((CSV, "application/xml", "?model=credit"), 415),
        ((b"no parquet", "application/vnd.apache.parquet", "?model=credit"), 422),
    ],
)
def test_what_cannot_be(
    client: FlaskClient, house: House, key: dict[str, str], sent_as: tuple[bytes, str, str], status: int
) -> None:
    """Refused as a problem with one ledger entry; nothing is kept."""
    body, kind, query = sent_as
    answer = client.post(PATH + query, data=body, headers=key, content_type=kind)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert client.get(PATH, headers=key).json["exports"] == []
    assert len(house.entries()) == 2


def test_idempotency_key(client: FlaskClient, key: dict[str, str]) -> None:
    """The header makes a repeated request harmless."""
    first = sent(client, {**key, "Idempotency-Key": "abc"}).json["export"]["id"]
    assert sent(client, {**key, "Idempotency-Key": "abc"}).json["export"]["id"] == first
    assert sent(client, {**key, "Idempotency-Key": "abc"}, top=1).status_code == 409
    assert sent(client, key).json["export"]["id"] != first


def test_pause_resume_remove(client: FlaskClient, house: House, key: dict[str, str]) -> None:
    """Each changes the state that is told; what is not possible is 409."""
    where = sent(client, key).headers["Location"]
    assert client.post(f"{where}/pause", headers=key).json["export"]["state"] == "paused"
    assert client.post(f"{where}/pause", headers=key).status_code == 409
    assert client.post(f"{where}/resume", headers=key).json["export"]["state"] == "queued"
    assert client.delete(where, headers=key).json["export"]["state"] == "cancelled"
    assert client.get(f"{where}/files/manifest.json", headers=key).status_code == 404


def test_nobody_else_sees_it(client: FlaskClient, house: House, key: dict[str, str]) -> None:
    """Without a key 401, with another key 404 on every route, for strange ids 4xx."""
    where = sent(client, key).headers["Location"]
    run(house)
    other = {"Authorization": f"Bearer {house.key()}"}
    assert client.get(where).status_code == 401
    for verb, path in (("get", where), ("delete", where), ("post", f"{where}/pause"), ("post", f"{where}/resume"),
                       ("get", f"{where}/files/manifest.json")):  # fmt: skip
        assert getattr(client, verb)(path, headers=other).status_code == 404
    assert client.get(PATH, headers=other).json["exports"] == []
    assert client.get(f"{where}/files/..%2f..%2faccess.db", headers=key).status_code in (404, 422)
    assert client.get(f"{PATH}/exp_1", headers=key).status_code == 422
    assert client.get(where, headers=key).json["export"]["state"] == "done"


def test_stored_decisions_as_input(client: FlaskClient, house: House, key: dict[str, str]) -> None:
    """`decisions` in the place of rows: what was decided is explained, and the answer counts what was left out."""
    case = {"model": "credit", "instance": ROW, "external_id": "A-1", "blind": False}
    decision = client.post("/api/v1/decisions", json=case, headers=key)
    assert decision.status_code == 201, decision.json
    answer = client.post(PATH, json={"model": "credit", "decisions": {"show": "waiting"}, "format": "csv"}, headers=key)
    assert answer.status_code == 202, answer.json
    assert answer.json["export"]["decisions"]["rows"] == 1
    run(house)
    done = client.get(answer.headers["Location"], headers=key).json["export"]
    text = client.get(done["files"][0]["href"], headers=key).text
    assert "decision.external_id" in text.splitlines()[0]
    assert "A-1" in text.splitlines()[1]
    both = client.post(PATH, json={"model": "credit", "decisions": {}, "instances": [ROW]}, headers=key)
    assert both.status_code == 422
