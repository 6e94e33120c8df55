"""Every route against every role, own object and another's, from the table in matrix.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from explainer.access.budgets import NO_LIMITS
from explainer.access.permissions import Permission
from explainer.access.roles import grantable_roles
from explainer.disclosure.levels import FULL
from tests.house import House
from tests.registry.folders import ROW

TABLE = tomllib.loads((Path(__file__).parent / "matrix.toml").read_text())
ROLES_OF: dict[str, list[str]] = TABLE["permissions"]
ROUTES: dict[str, str] = {**TABLE["api"], **TABLE["pages"]}
ABSENT = {
    "name": "credit",
    "version": "1.0",
    "receipt_id": "rcp_" + "0" * 26,
    "person_id": "usr_" + "0" * 16,
    "key_id": "aaaaaaaa",
    "decision_id": "dec_" + "0" * 26,
    "export_id": "exp_" + "0" * 26,
    "number": "1",
    "step": "pause",
    "filename": "page.css",
    "file": "explanations.csv",
}
IDS = {
    "/api/v1/receipts": "rcp_" + "0" * 26,
    "/api/v1/keys": "aaaaaaaa",
    "/api/v1/people": "usr_" + "0" * 16,
    "/api/v1/exports": "exp_" + "0" * 26,
    "/api/v1/decisions": "dec_" + "0" * 26,
}
EXPLAIN = "/api/v1/models/credit/explain"


@pytest.fixture
def app(house: House) -> Flask:
    """One app for all requests of a test: it takes longer to make than to ask."""
    house.register()
    house.rooms.policies.set("application", "credit", FULL, "tests")  # else it could not export at all
    house.rooms.budgets.set("application", "credit", NO_LIMITS, "tests")
    return house.client().application


def rules(app: Flask) -> list[Rule]:
    return list(app.url_map.iter_rules())


def signed_in(app: Flask, house: House, role: str) -> tuple[FlaskClient, str]:
    client, session = app.test_client(), house.session(role)
    client.set_cookie("explainer_session", session)
    return client, house.rooms.access.csrf_token(session)


def verbs(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def path_of(rule: Rule) -> str:
    """The address of an object that is not there, but for the model, which is."""
    own = next((v for k, v in IDS.items() if rule.rule.startswith(k)), "1")
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: ABSENT.get(found[1], own), rule.rule)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_the_table_names_every_route_and_its_permission(app: Flask) -> None:
    """A route that is not in the table, or states another permission, or none, is a surprise; so is a stale line."""
    found = {}
    for rule in app.url_map.iter_rules():
        permission = getattr(app.view_functions[rule.endpoint], "permission", None)
        stated = permission.value if isinstance(permission, Permission) else "open"
        found |= {f"{verb} {rule.rule}": stated for verb in verbs(rule)}
    opened = {route for route, permission in found.items() if permission == "open"}
    assert opened == set(TABLE["open"]["routes"])
    assert {route: p for route, p in found.items() if p != "open"} == ROUTES


def test_the_table_names_every_role_and_permission_in_use() -> None:
    """A role that nobody wrote down gets nowhere in this test, so it has to be written down."""
    assert {role for roles in ROLES_OF.values() for role in roles} == set(grantable_roles())
    assert set(ROUTES.values()) <= set(ROLES_OF)


@pytest.mark.parametrize("role", grantable_roles())
def test_every_api_route_with_a_key_of_every_role(app: Flask, house: House, role: str) -> None:
    """403 exactly where the table does not list the role, and never 401; nothing but what is permitted is done."""
    client, key = app.test_client(), bearer(house.key(role))
    surprises = []
    for rule in rules(app):
        for verb in verbs(rule):
            route = f"{verb} {rule.rule}"
            if route in TABLE["api"]:
                body = {} if verb in {"POST", "PUT", "PATCH"} else None
                status = client.open(path_of(rule), method=verb, json=body, headers=key).status_code
                expected = role in ROLES_OF[ROUTES[route]]
                if status == 401 or status >= 500 or (status != 403) != expected:
                    surprises.append((route, status))
    assert surprises == []


@pytest.mark.parametrize("role", grantable_roles())
def test_every_page_with_a_session_of_every_role(app: Flask, house: House, role: str) -> None:
    """The same for pages, each with a session of its own, as one of them ends it."""
    surprises = []
    for rule in rules(app):
        for verb in verbs(rule):
            route = f"{verb} {rule.rule}"
            if route in TABLE["pages"]:
                client, token = signed_in(app, house, role)
                data = {"token": token} if verb == "POST" else None
                status = client.open(path_of(rule), method=verb, data=data).status_code
                expected = role in ROLES_OF[ROUTES[route]]
                if status == 401 or status >= 500 or (status != 403) != expected:
                    surprises.append((route, status))
    assert surprises == []


def test_nobody_gets_anywhere_but_to_the_open_routes(app: Flask, house: House) -> None:
    """Without credentials, with a key nobody issued, with a token nobody signed, and with a half session."""
    house.rooms.access.people.add("anna", "correct horse battery", "administrator")
    half = house.rooms.access.sign_in("anna", "correct horse battery", "a")
    ways: list[dict[str, str]] = [
        {},
        bearer("xk_aaaaaaaa_" + "A" * 43),
        bearer("e30.e30.e30"),
        {"Authorization": "Basic YTpi"},
        {"Cookie": f"explainer_session={half}"},
    ]
    surprises = []
    for rule in rules(app):
        for verb in verbs(rule):
            route = f"{verb} {rule.rule}"
            for i, headers in enumerate(ways):
                status = app.test_client().open(path_of(rule), method=verb, headers=headers).status_code
                step = i == 4 and route in TABLE["steps"]["routes"]
                if route in ROUTES and not step and status not in ({302} if route in TABLE["pages"] else {401, 302}):
                    surprises.append((route, i, status))
    assert surprises == []


def _receipt(app: Flask, key: str) -> str:
    answer = app.test_client().post(EXPLAIN, json={"instances": [ROW]}, headers=bearer(key))
    found: str = answer.json["explanations"][0]["receipt"]
    return found


def _export(app: Flask, key: str) -> str:
    wish = {"model": "credit", "instances": [ROW]}
    found: str = app.test_client().post("/api/v1/exports", json=wish, headers=bearer(key)).json["export"]["id"]
    return found


def _key(_: Flask, key: str) -> str:
    return key.split("_")[1]


def _decision(app: Flask, key: str) -> str:
    wish = {"model": "credit", "instance": ROW, "blind": False}
    found: str = app.test_client().post("/api/v1/decisions", json=wish, headers=bearer(key)).json["decision"]["id"]
    return found


MAKE = {"receipt": _receipt, "export": _export, "key": _key, "decision": _decision}
MAY_MAKE = {"decision": "reviews:decision:create"}


@pytest.mark.parametrize("role", grantable_roles())
@pytest.mark.parametrize("route", sorted(TABLE["objects"]))
def test_own_objects_and_those_of_others(app: Flask, house: House, role: str, route: str) -> None:
    """Own: as the role permits. Another's: 404, as if it were not there, but for the roles that read all."""
    kind, readers = TABLE["objects"][route]["kind"], TABLE["objects"][route]["all"]
    permitted, verb = role in ROLES_OF[ROUTES[route]], route.split(maxsplit=1)[0]
    key = house.key(role)

    def status(which: str) -> int:
        path = route.split()[1].replace("<id>", which)
        path = re.sub(r"<(receipt|decision|export)_id>", which, path)
        body: dict[str, Any] | None = {} if verb == "POST" else None
        if route in TABLE["pages"]:
            client, token = signed_in(app, house, role)
            return client.open(path, method=verb, data={"token": token} if verb == "POST" else None).status_code
        return app.test_client().open(path, method=verb, json=body, headers=bearer(key)).status_code

    foreign = status(MAKE[kind](app, house.key("application")))
    assert (foreign < 300) is (permitted and role in readers), foreign
    if permitted and role not in readers:
        assert foreign == 404
    if role in ROLES_OF[MAY_MAKE.get(kind, "models:explanation:create")] and route in TABLE["api"]:
        own = status(MAKE[kind](app, key))
        assert (own < 300 or own == 409) is permitted, own


@pytest.mark.parametrize("role", grantable_roles())
def test_a_model_that_is_not_granted(app: Flask, house: House, role: str) -> None:
    """On every route that names a model a principal without the grant gets 403, whatever the role."""
    key = bearer(house.key(role, models=("other",)))
    for rule in rules(app):
        if "/models/<name>" in rule.rule and rule.rule.startswith("/api"):
            for verb in verbs(rule):
                whole = {} if rule.rule.endswith("/approve") else {"instances": [ROW]}
                body = whole if verb == "POST" else None
                status = app.test_client().open(path_of(rule), method=verb, json=body, headers=key).status_code
                assert status == 403, (verb, rule.rule)


def test_duties_are_separate() -> None:
    """Whoever gives rights sees no rows, and whoever asks, reviews or owns models gives no rights."""
    sees_rows = {"models:explanation:create", "models:prediction:create", "receipts:receipt:read"}
    gives_rights = {"access:user:manage", "access:key:manage"}
    for role in grantable_roles():
        has = {permission for permission, roles in ROLES_OF.items() if role in roles}
        assert not (has & gives_rights and has & sees_rows), role
