"""Who is looking: the way back after signing in, forms of other sites, the cookie."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.settings import SESSION_COOKIE
from tests.house import PASSWORD, House, build
from webui.session import local_path

HERE = "http://explainer.example/sign-in"


@pytest.mark.parametrize("target", ["/models", "/models/a?x=1&y=//b", "/", "/models/a%2Fb", "/models#part"])
def test_pages_of_this_service_are_led_back_to(target: str) -> None:
    """A path with its query is where the person goes on."""
    assert local_path(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "models",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "http://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "/models\r\nSet-Cookie: a=b",
    ],
)
def test_nothing_else_is(target: str | None) -> None:
    """Other hosts in any spelling that browsers understand, other schemes, and line breaks are refused."""
    assert local_path(target) is None


@given(st.text(alphabet="/\\:@.?#%\t\r\n abehtp", max_size=12))
def test_no_text_leads_to_another_host(text: str) -> None:
    """Read as a browser reads it (tabs and line breaks dropped, backslashes as slashes), the host stays ours."""
    target = local_path(text)
    if target is not None:
        seen = "".join(c for c in target if c not in "\t\r\n").replace("\\", "/")
        assert urlsplit(urljoin(HERE, seen)).netloc == "explainer.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://localhost:8080"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(house: House, headers: dict[str, str], status: int) -> None:
    """A form with the right token is taken from our own pages only, by Origin and by Sec-Fetch-Site."""
    client, token = house.person()
    assert client.post("/sign-out", data={"token": token}, headers=headers).status_code == status


def test_the_sign_in_form_too_is_taken_from_here_only(house: House) -> None:
    """Nobody is signed in to somebody else's account by another site."""
    house.rooms.access.people.add("anna", PASSWORD, "application")
    form = {"name": "anna", "password": PASSWORD}
    assert house.client().post("/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert house.client().post("/sign-in", data=form).status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "ü" * 10])
def test_a_form_needs_this_sessions_token(house: House, token: str) -> None:
    """Without a token, with a wrong one or with another session's nothing is done, and the ledger says so once."""
    client, _ = house.person()
    before = len(house.entries())
    assert client.post("/sign-out", data={"token": token}).status_code == 403
    assert client.get("/models").status_code == 200
    assert [e.entry.outcome for e in house.entries()[before:]] == ["not-permitted", "answered"]


def test_another_sessions_token_does_not_fit(house: House) -> None:
    """A form that was loaded in an earlier session has to be loaded again."""
    client, _ = house.person()
    _, other = house.person()
    answer = client.post("/sign-out", data={"token": other}, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert "reload the page" in answer.text


@pytest.mark.parametrize(("secure", "https"), [(False, False), (True, True)])
def test_the_cookie(tmp_path: Any, secure: bool, https: bool) -> None:
    """No script reads it, other sites' forms do not send it; over TLS it never goes without, nor can be planted."""
    house = build(tmp_path, secure_cookies=secure, session_hours=3)
    house.rooms.access.people.add("anna", PASSWORD, "application")
    answer = house.client().post("/sign-in", data={"name": "anna", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-{SESSION_COOKIE}=" if https else f"{SESSION_COOKIE}=")
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=10800" in cookie
    assert ("Secure" in cookie) is https


def test_whoever_is_not_signed_in_is_led_back_after(house: House) -> None:
    """The sign-in page remembers the page that was asked for, with its query."""
    house.register()
    house.rooms.access.people.add("anna", PASSWORD, "application")
    client = house.client()
    first = client.get("/models/credit?version=1.0")
    assert first.status_code == 302
    shown = client.get(first.headers["Location"])
    assert 'value="/models/credit?version=1.0"' in shown.text
    form = {"name": "anna", "password": PASSWORD, "next": "/models/credit?version=1.0"}
    assert client.post("/sign-in", data=form).headers["Location"] == "/models/credit?version=1.0"


def test_accounts_that_cannot_be_read_are_a_page_too(house: House) -> None:
    """The error page itself needs nobody's account: 503 with the reason, before and after somebody is known."""
    client, token = house.person()
    house.rooms.access.close()
    for answer in (
        client.get("/models", headers={"Accept": "text/html"}),
        client.post("/sign-out", data={"token": token}, headers={"Accept": "text/html"}),
    ):
        assert answer.status_code == 503
        assert "A record could not be kept" in answer.text
