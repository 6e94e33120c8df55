"""The guard in front of the API."""

from __future__ import annotations

import pytest
from flask import Flask

from explainer.access.permissions import Permission
from explainer.api.guard import bearer_token, permission_of
from explainer.usecases.admit import needs


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER  abc ", "abc"),
        ("Bearer a b", "a b"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
    ],
)
def test_the_bearer_token(header: str, token: str | None) -> None:
    """The scheme is read without regard to case (RFC 9110); other schemes give nobody."""
    with Flask("test").test_request_context("/", headers={"Authorization": header}):
        assert bearer_token() == token


def test_no_header_is_nobody() -> None:
    """Without the header there is no token."""
    with Flask("test").test_request_context("/"):
        assert bearer_token() is None


def test_a_route_without_permission_is_never_answered() -> None:
    """A matched route that states no permission raises instead of being open."""
    app = Flask("test")
    app.add_url_rule("/open", "open", lambda: "")
    app.add_url_rule("/closed", "closed", needs(Permission.CARD_READ)(lambda: ""))
    with app.test_request_context("/"):
        assert permission_of(None) is None
        assert permission_of("closed") is Permission.CARD_READ
        with pytest.raises(AttributeError):
            permission_of("open")
