"""Routes of people and keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explainer.access.admit import Access, Choices
from tests.access.conftest import trusted
from tests.access.identity_provider import running
from tests.house import PASSWORD, House, build
from tests.registry.folders import ROW

KEYS, PEOPLE = "/api/v1/keys", "/api/v1/people"


@pytest.fixture
def boss(house: House) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.key('administrator')}"}


def test_a_key_is_issued_shown_rotated_and_revoked(house: House, boss: dict[str, str]) -> None:
    """The secret comes once each time; nothing else ever shows it."""
    client = house.client()
    wish = {
        "name": "loan desk",
        "role": "application",
        "models": ["credit"],
        "scopes": ["models:card:read"],
        "days": 30,
    }
    made = client.post(KEYS, json=wish, headers=boss)
    assert made.status_code == 201, made.data
    secret, key = made.json["secret"], made.json["key"]
    assert (key["models"], key["scopes"], key["revoked_at"]) == (["credit"], ["models:card:read"], None)
    rotated = client.post(f"{KEYS}/{key['id']}/rotate", json={"overlap_hours": 1}, headers=boss)
    assert rotated.status_code == 201
    assert rotated.json["key"]["program"] == key["id"]
    shown = client.get(f"{KEYS}/{key['id']}", headers=boss)
    assert shown.json["key"]["expires_at"] < key["expires_at"]
    ended = client.delete(f"{KEYS}/{key['id']}", headers=boss)
    assert ended.json["key"]["revoked_at"]
    listed = client.get(KEYS, headers=boss)
    assert len(listed.json["keys"]) == 3
    assert all(secret not in answer.text for answer in (rotated, shown, ended, listed))
    assert secret not in str(house.entries())


def test_a_program_rotates_its_own_key(house: House) -> None:
    """With the key itself, and no administrator; the new one reads what the old one wrote."""
    client = house.client()
    key = house.key("application")
    path = f"{KEYS}/{key.split('_')[1]}"
    mine = {"Authorization": f"Bearer {key}"}
    assert client.get(path, headers=mine).json["key"]["role"] == "application"
    new = client.post(f"{path}/rotate", json={}, headers=mine).json["secret"]
    assert client.get(path, headers={"Authorization": f"Bearer {new}"}).status_code == 200
    assert client.delete(path, headers=mine).status_code == 403


def test_another_programs_key_is_not_there(house: House) -> None:
    """It looks exactly like one that does not exist."""
    client, other = house.client(), house.key("application").split("_")[1]
    mine = {"Authorization": f"Bearer {house.key('application')}"}
    for verb, tail, body in (("GET", "", None), ("POST", "/rotate", {})):
        foreign, absent = (
            client.open(f"{KEYS}/{which}{tail}", method=verb, json=body, headers=mine) for which in (other, "aaaaaaaa")
        )
        assert foreign.status_code == absent.status_code == 404
        assert foreign.json["detail"].replace(other, "") == absent.json["detail"].replace("aaaaaaaa", "")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": ""}, 422),
        ({"name": "x", "role": "king"}, 422),
        ({"name": "x", "role": "local"}, 422),
        ({"name": "x", "scopes": []}, 422),
        ({"name": "x", "scopes": ["access:key:manage"]}, 422),
        ({"name": "x", "days": 0}, 422),
        ({"name": "x", "days": "7"}, 422),
        ({"name": "x", "days": True}, 422),
        ({"name": "x", "models": ["../x"]}, 422),
        ({"name": "x", "secret": "mine"}, 422),
        ({"name": 7}, 422),
        ({"name": "a\nb"}, 422),
    ],
)
def test_what_cannot_be_issued(house: House, boss: dict[str, str], body: dict[str, Any], status: int) -> None:
    """Refused with the field that is wrong; no key is made."""
    answer = house.client().post(KEYS, json=body, headers=boss)
    assert answer.status_code == status
    assert answer.json["code"] == "invalid-option"
    assert len(house.rooms.access.keys.all()) == 1


def test_a_person_is_added_changed_and_kept_out(house: House, boss: dict[str, str]) -> None:
    """By a link that is shown once; each change ends the sessions."""
    client = house.client()
    made = client.post(PEOPLE, json={"name": "bert", "role": "application", "models": ["credit"]}, headers=boss)
    assert made.status_code == 201, made.data
    person, link = made.json["person"], made.json["link"]
    assert link.startswith("/invitation/")
    assert client.post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
    one = f"{PEOPLE}/{person['id']}"
    shown = client.get(one, headers=boss).json
    assert len(shown["sessions"]) == 1
    assert shown["second_factors"] == {"totp": False, "passkeys": [], "recovery_codes_left": 0}
    assert client.put(f"{one}/role", json={"role": "reviewer", "models": ["*"]}, headers=boss).status_code == 200
    shown = client.get(one, headers=boss).json
    assert (shown["person"]["role"], shown["sessions"]) == ("reviewer", [])
    assert client.put(f"{one}/state", json={"disabled": True}, headers=boss).status_code == 200
    assert client.get(PEOPLE, headers=boss).json["people"][0]["disabled"] is True
    assert client.delete(f"{one}/factors", headers=boss).status_code == 200
    assert client.delete(f"{one}/sessions", headers=boss).status_code == 200
    assert client.post(f"{one}/link", headers=boss).status_code == 201
    assert client.post(PEOPLE, json={"name": "BERT", "role": "analyst"}, headers=boss).status_code == 409


@pytest.mark.parametrize("path", ["usr_0", "usr_" + "0" * 16, "x", "usr_" + "G" * 16])
def test_nobody_of_that_id(house: House, boss: dict[str, str], path: str) -> None:
    """404 for nobody, 422 for what is no id."""
    answer = house.client().get(f"{PEOPLE}/{path}", headers=boss)
    assert answer.status_code == (404 if path == "usr_" + "0" * 16 else 422)


def test_one_entry_for_each_request(house: House, boss: dict[str, str]) -> None:
    """Answered and refused alike."""
    client = house.client()
    _, key = house.rooms.access.keys.issue("k", "application")
    person = house.rooms.access.people.add("bert", PASSWORD, "application")
    asked = [
        ("GET", KEYS, None),
        ("POST", KEYS, {"name": "x"}),
        ("POST", KEYS, {"name": "x", "role": "king"}),
        ("GET", f"{KEYS}/{key.id}", None),
        ("POST", f"{KEYS}/{key.id}/rotate", {}),
        ("POST", f"{KEYS}/{key.id}/rotate", {}),
        ("DELETE", f"{KEYS}/{key.id}", None),
        ("DELETE", f"{KEYS}/aaaaaaaa", None),
        ("GET", PEOPLE, None),
        ("POST", PEOPLE, {"name": "carla", "role": "analyst"}),
        ("GET", f"{PEOPLE}/{person.id}", None),
        ("PUT", f"{PEOPLE}/{person.id}/role", {"role": "owner"}),
        ("PUT", f"{PEOPLE}/{person.id}/state", {"disabled": False}),
        ("POST", f"{PEOPLE}/{person.id}/link", None),
        ("DELETE", f"{PEOPLE}/{person.id}/factors", None),
        ("DELETE", f"{PEOPLE}/{person.id}/sessions", None),
    ]
    for verb, path, body in asked:
        before = len(house.entries())
        client.open(path, method=verb, json=body, headers=boss)
        assert len(house.entries()) - before == 1, (verb, path)


def test_a_providers_token_opens_like_a_key(tmp_path: Path) -> None:
    """With the role and the models of its grant; its receipts are its own, and a forged token is anonymous."""
    with running() as idp:
        made = build(tmp_path)
        choices = Choices(providers=(trusted(idp, tmp_path),))
        house = made.with_rooms(access=Access(tmp_path / "var" / "access.db", choices=choices))
        house.register()
        house.register(name="other")
        client, mine = house.client(), {"Authorization": f"Bearer {idp.token()}"}
        explained = client.post("/api/v1/models/credit/explain", json={"instances": [ROW]}, headers=mine)
        receipt = explained.json["explanations"][0]["receipt"]
        assert client.get(f"/api/v1/receipts/{receipt}", headers=mine).status_code == 200
        assert client.get("/api/v1/models/other", headers=mine).status_code == 403
        stranger = {"Authorization": f"Bearer {idp.token(sub='bert-2', groups=['it'])}"}
        assert client.get(f"/api/v1/receipts/{receipt}", headers=stranger).status_code == 403
        forged = {"Authorization": f"Bearer {idp.token(aud='elsewhere')}"}
        refused = client.get("/api/v1/models", headers=forged)
        assert (refused.status_code, refused.json["code"]) == (401, "not-authenticated")
        assert house.entries()[0].entry.principal.startswith("oidc_")
        assert house.entries()[-1].entry.principal == "anonymous"
