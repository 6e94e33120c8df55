"""Signing in, step by step, and out."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient

from explainer.access.admit import Access, Choices
from explainer.access.passkeys import Place
from tests.access.authenticator import Device
from tests.access.conftest import trusted
from tests.access.identity_provider import IdentityProvider, running
from tests.house import PASSWORD, House, build
from tests.webui.site import outline

LOCAL = {"base_url": "http://localhost:8080"}


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("explainer_session")
    assert cookie is not None
    return cookie.value


def with_app(house: House, name: str, role: str = "reviewer") -> str:
    """Add somebody with an authenticator app; returns its secret, whose present code is used up."""
    person = house.rooms.access.people.add(name, PASSWORD, role)
    secret = house.rooms.access.factors.totp.begin(person.id)
    assert house.rooms.access.factors.totp.confirm(person.id, pyotp.TOTP(secret).now())
    return secret


def next_code(secret: str) -> str:
    """The code of the coming half-minute, which counts already."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def options_in(page: str, kind: str = "get") -> Any:
    found = re.search(rf"data-passkey=\"{kind}\" data-options='([^']+)'", page)
    assert found is not None
    return json.loads(html.unescape(found[1]))


def without_challenge(page: str) -> str:
    return re.sub(r'"challenge": "[^"]+"', "", page)


def test_signing_in_and_out(house: House) -> None:
    """A wrong password says no more than that; the right one leads in; signing out ends the session everywhere."""
    house.rooms.access.people.add("anna", PASSWORD, "application")
    client = house.client()
    wrong = client.post("/sign-in", data={"name": "anna", "password": "wrong"})
    nobody = client.post("/sign-in", data={"name": "nobody", "password": "wrong"})
    assert wrong.status_code == nobody.status_code == 401
    assert without_challenge(wrong.text).replace("anna", "") == without_challenge(nobody.text).replace("nobody", "")
    client.post("/sign-in", data={"name": "anna", "password": PASSWORD})
    cookie = cookie_of(client)
    assert client.get("/models").status_code == 200
    assert client.post("/sign-out", data={"token": house.rooms.access.csrf_token(cookie)}).status_code == 303
    client.set_cookie("explainer_session", cookie)
    assert client.get("/models").status_code == 302
    events = [(e.entry.event, e.entry.outcome) for e in house.entries()]
    assert events == [
        ("page:session:create", "not-authenticated"),
        ("page:session:create", "not-authenticated"),
        ("page:session:create", "answered"),
        ("page:model:list", "answered"),
        ("page:session:end", "answered"),
        ("page:card:read", "not-authenticated"),
    ]


def test_the_second_factor_comes_after_the_password(house: House) -> None:
    """Until then no page but that one opens; afterwards the person is where they wanted to go, under a new cookie."""
    secret = with_app(house, "anna")
    client = house.client()
    first = client.post("/sign-in", data={"name": "anna", "password": PASSWORD, "next": "/account"})
    assert first.headers["Location"] == "/second-factor?next=/account"
    half = cookie_of(client)
    for path in ("/models", "/account", "/account/password", "/account/set-up", "/account/app", "/api/docs"):
        answer = client.get(path)
        assert answer.status_code in {302, 401}, path
        assert "Location" not in answer.headers or answer.headers["Location"].startswith("/second-factor"), path
    page = client.get(first.headers["Location"])
    outline(page.text)
    form = {"token": house.rooms.access.csrf_token(half), "next": "/account"}
    wrong = client.post("/second-factor", data={**form, "code": "000000"})
    assert wrong.status_code == 401
    outline(wrong.text)
    right = client.post("/second-factor", data={**form, "code": next_code(secret)})
    assert (right.status_code, right.headers["Location"]) == (303, "/account")
    assert cookie_of(client) != half
    assert client.get("/account").status_code == 200
    client.set_cookie("explainer_session", half)
    assert client.get("/account").status_code == 302


def test_a_half_session_reaches_no_form(house: House) -> None:
    """Nothing can be changed, ended or asked between password and second factor, only signed out of."""
    with_app(house, "anna", "administrator")
    client = house.client()
    client.post("/sign-in", data={"name": "anna", "password": PASSWORD})
    token = house.rooms.access.csrf_token(cookie_of(client))
    forms = [r for r in client.application.url_map.iter_rules() if "POST" in (r.methods or ())]
    for rule in forms:
        if rule.endpoint.startswith("webui.") and not rule.rule.startswith(("/sign-", "/second-factor", "/invitation")):
            path = re.sub(r"<[^>]+>", "x", rule.rule)
            answer = client.post(path, data={"token": token})
            assert answer.headers.get("Location", "").startswith("/second-factor"), path
    assert client.post("/sign-out", data={"token": token}).status_code == 303
    assert client.get("/second-factor").headers["Location"].startswith("/sign-in")


def test_a_recovery_code_leads_in_once(house: House) -> None:
    """In the same field as the app's code."""
    with_app(house, "anna")
    person = house.rooms.access.people.named("anna")
    code = house.rooms.access.factors.recovery.renew(person.id)[0]
    statuses = []
    for _ in range(2):
        client = house.client()
        client.post("/sign-in", data={"name": "anna", "password": PASSWORD})
        form = {"token": house.rooms.access.csrf_token(cookie_of(client)), "code": code}
        statuses.append(client.post("/second-factor", data=form).status_code)
    assert statuses == [303, 401]
    assert [e.entry.body.get("by") for e in house.entries() if e.entry.event == "page:session:prove"] == [
        "recovery",
        None,
    ]


def test_a_role_that_needs_it_is_led_to_set_up(house: House) -> None:
    """At the first sign-in nothing else opens, whatever is asked for."""
    house.rooms.access.people.add("anna", PASSWORD, "owner")
    client = house.client()
    answer = client.post("/sign-in", data={"name": "anna", "password": PASSWORD})
    assert answer.headers["Location"] == "/account/set-up"
    for path in ("/models", "/account", "/second-factor", "/account/password"):
        assert client.get(path).headers["Location"].startswith("/account/set-up"), path
    page = client.get("/account/set-up")
    outline(page.text)
    assert "Set up an app" in page.text
    assert 'aria-label="Main"' not in page.text


def test_the_demos_person_is_in_at_once(house: House) -> None:
    """The demo's sign-in stays one step, on this machine."""
    house.rooms.access.people.add("demo", PASSWORD, "demo")
    here = house.client().post("/sign-in", data={"name": "demo", "password": PASSWORD})
    assert here.headers["Location"] == "/"
    form = {"name": "demo", "password": PASSWORD}
    there = house.client().post("/sign-in", data=form, environ_base={"REMOTE_ADDR": "10.0.0.7"})
    assert there.headers["Location"] == "/account/set-up"


def test_a_passkey_signs_in_by_itself(house: House) -> None:
    """The sign-in page asks for one; the answer is good once and for this service only."""
    person = house.rooms.access.people.add("anna", PASSWORD, "owner")
    device = Device("localhost", "http://localhost:8080")
    passkeys = house.rooms.access.factors.passkeys
    place = Place("localhost", "http://localhost:8080")
    passkeys.add(person.id, "key", device.make(passkeys.ask_new(person.id, "anna", place, "x")), place, "x")
    client = house.client()
    answer = device.sign(options_in(client.get("/sign-in", **LOCAL).text))
    evil = Device("localhost", "http://evil.example", key=device.key, id=device.id)
    forged = evil.sign(options_in(client.get("/sign-in", **LOCAL).text))
    assert client.post("/sign-in/passkey", data={"answer": forged}, **LOCAL).status_code == 401
    done = client.post("/sign-in/passkey", data={"answer": answer, "next": "/account"}, **LOCAL)
    assert (done.status_code, done.headers["Location"]) == (303, "/account")
    assert client.get("/account", **LOCAL).status_code == 200
    again = house.client().post("/sign-in/passkey", data={"answer": answer}, **LOCAL)
    assert again.status_code == 401
    outline(again.text)


@pytest.mark.parametrize("answer", ["", "{}", "null", "x" * 50_000])
def test_rubbish_is_no_passkey(house: House, answer: str) -> None:
    """The sign-in page says so."""
    page = house.client().post("/sign-in/passkey", data={"answer": answer}, **LOCAL)
    assert page.status_code == 401
    outline(page.text)


@pytest.mark.parametrize(
    ("public_url", "host", "site"),
    [
        ("", "http://localhost:8080", "localhost"),
        ("", "http://127.0.0.1:8080", None),
        ("", "http://evil.example", None),
        ("https://explainer.example", "http://evil.example", "explainer.example"),
    ],
)
def test_where_passkeys_are_good(tmp_path: Path, public_url: str, host: str, site: str | None) -> None:
    """At the public address that the settings name, else at localhost; never at what a request calls itself."""
    page = build(tmp_path, public_url=public_url).client().get("/sign-in", base_url=host).text
    if site is None:
        assert "data-passkey" not in page
        assert "passkeys.js" not in page
    else:
        assert options_in(page)["rpId"] == site


def test_the_first_administrator_comes_by_a_link(house: House) -> None:
    """It asks for name and password, is good once, and leads to the second factor."""
    link = f"/invitation/{house.rooms.access.invitations.make('first-administrator')}"
    client = house.client()
    outline(client.get(link).text)
    for form, says in (
        ({"name": "anna", "password": PASSWORD, "again": "another"}, "not the same"),
        ({"name": "anna", "password": "short", "again": "short"}, "12 to 1024"),
        ({"name": "", "password": PASSWORD, "again": PASSWORD}, "printable"),
    ):
        refused = client.post(link, data=form)
        assert refused.status_code == 422
        assert says in refused.text
        outline(refused.text)
    done = client.post(link, data={"name": "anna", "password": PASSWORD, "again": PASSWORD})
    assert done.headers["Location"] == "/account/set-up"
    assert house.rooms.access.people.named("anna").role == "administrator"
    assert house.client().get(link, headers={"Accept": "text/html"}).status_code == 404
    again = house.client().post(link, data={"name": "eve", "password": PASSWORD, "again": PASSWORD})
    assert again.status_code == 404


def test_a_link_gives_a_person_a_password(house: House) -> None:
    """The page greets them by name, and they cannot choose another."""
    person = house.rooms.access.people.add("bert", None, "application")
    link = f"/invitation/{house.rooms.access.invitations.make('choose-password', person.id)}"
    client = house.client()
    assert "Welcome, bert" in client.get(link).text
    form = {"name": "eve", "password": PASSWORD, "again": PASSWORD}
    assert client.post(link, data=form).headers["Location"] == "/"
    assert house.rooms.access.people.get(person.id).name == "bert"


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def corporate(idp: IdentityProvider, tmp_path: Path) -> House:
    """A house whose people can sign in by the provider."""
    made = build(tmp_path, public_url="http://localhost")
    choices = Choices(providers=(trusted(idp, tmp_path),))
    return made.with_rooms(access=Access(tmp_path / "var" / "access.db", choices=choices))


def test_a_provider_signs_people_in(corporate: House, idp: IdentityProvider) -> None:
    """From the sign-in page there and back; with a second factor there, none is asked for here."""
    idp.claims = {"amr": ["pwd", "mfa"]}
    client = corporate.client()
    assert 'href="/sign-in/with/corporate?next=/account"' in client.get("/sign-in?next=/account").text
    away = client.get("/sign-in/with/corporate?next=/account")
    assert away.status_code == 303
    back = idp.authorize(away.headers["Location"])
    assert back.startswith("http://localhost/sign-in/with/corporate/back?")
    done = client.get(back)
    assert (done.status_code, done.headers["Location"]) == (303, "/account")
    page = client.get("/account")
    assert "You sign in by an identity provider" in page.text
    events = [(e.entry.event, e.entry.outcome) for e in corporate.entries()]
    assert events[:2] == [("page:session:begin", "answered"), ("page:session:create", "answered")]


def test_without_a_second_factor_there_it_is_asked_for_here(corporate: House, idp: IdentityProvider) -> None:
    """The provider's word that it was a password only."""
    client = corporate.client()
    back = idp.authorize(client.get("/sign-in/with/corporate").headers["Location"])
    assert client.get(back).headers["Location"] == "/account/set-up"


def test_a_way_back_that_another_browser_began_leads_nowhere(corporate: House, idp: IdentityProvider) -> None:
    """Sent to somebody else, the address signs them in to nothing."""
    back = idp.authorize(corporate.client().get("/sign-in/with/corporate").headers["Location"])
    victim = corporate.client()
    page = victim.get(back)
    assert page.status_code == 401
    outline(page.text)
    assert victim.get_cookie("explainer_session") is None


@pytest.mark.parametrize("query", ["", "error=access_denied&state=x", "code=x&state=x", "code=x&state=%00", "iss=x"])
def test_other_ways_back_are_refused(corporate: House, query: str) -> None:
    """Whatever stands in the address: the sign-in page says that it was not good."""
    client = corporate.client()
    client.get("/sign-in/with/corporate")
    page = client.get(f"/sign-in/with/corporate/back?{query}")
    assert page.status_code == 401
    outline(page.text)


def test_an_unknown_provider_is_not_there(corporate: House) -> None:
    """404, with one entry each."""
    for path in ("/sign-in/with/nobody", "/sign-in/with/nobody/back"):
        assert corporate.client().get(path).status_code == 404
    assert [e.entry.outcome for e in corporate.entries()] == ["not-found", "not-found"]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_led_elsewhere_after_signing_in(house: House, target: str) -> None:
    """Not after the password, nor after the second factor."""
    secret = with_app(house, "anna")
    client = house.client()
    first = client.post("/sign-in", data={"name": "anna", "password": PASSWORD, "next": target})
    assert first.headers["Location"] == "/second-factor"
    form = {"token": house.rooms.access.csrf_token(cookie_of(client)), "next": target, "code": next_code(secret)}
    assert client.post("/second-factor", data=form).headers["Location"] == "/"
