"""Proves that a provider's answers are taken within bounds, and from itself alone."""

from __future__ import annotations

import pytest

from explainer.access.fetching import LARGEST, get_json, post_form
from explainer.errors import NotAuthenticated, NotReady
from tests.access.identity_provider import IdentityProvider


def test_an_object_is_fetched(idp: IdentityProvider) -> None:
    """JSON, as it is there."""
    assert get_json(f"{idp.issuer}/.well-known/openid-configuration")["issuer"] == idp.issuer


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"[]"),
        (200, b"not JSON"),
        (200, b'{"a": NaN}'),
        (200, b"{" + b" " * LARGEST + b"}"),
        (404, b"{}"),
        (500, b"{}"),
        (302, b"http://127.0.0.1:9/elsewhere"),
    ],
)
def test_everything_else_is_not(idp: IdentityProvider, status: int, body: bytes) -> None:
    """No object, too large, an error, a way elsewhere: each is said, with the address."""
    idp.answers["/jwks"] = (status, body)
    with pytest.raises(NotReady, match="jwks"):
        get_json(f"{idp.issuer}/jwks")


@pytest.mark.parametrize("address", ["http://evil.example/x", "file:///etc/passwd", "ftp://localhost/x", "", "None"])
def test_only_https_and_this_machine_are_asked(address: str) -> None:
    """Nothing is fetched in clear from elsewhere, and no file is read."""
    with pytest.raises(NotReady, match="not https"):
        get_json(address)


def test_nobody_there_is_said(idp: IdentityProvider) -> None:
    """A closed port is an answer within the time."""
    with pytest.raises(NotReady, match="did not answer"):
        get_json("http://127.0.0.1:9/jwks")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_form_is_a_refusal(idp: IdentityProvider, status: int) -> None:
    """A code or a client that the provider does not take lets nobody in."""
    idp.answers["/token"] = (status, b'{"error": "invalid_grant"}')
    with pytest.raises(NotAuthenticated):
        post_form(f"{idp.issuer}/token", {"code": "x"}, ("client", "secret"))
