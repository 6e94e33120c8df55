"""Whose word about a client counts, and how it is read."""

from __future__ import annotations

from typing import Any

import pytest

from explainer.api.forwarded import PROBLEM, Forwarded, networks
from explainer.settings import SettingsError

PROXY, SECOND, STRANGER = "10.0.0.1", "10.0.0.2", "203.0.113.9"


def seen(peer: str, trusted: str = "10.0.0.0/8, fd00::/8", **headers: str) -> dict[str, Any]:
    """The environment that the app gets."""
    got: list[dict[str, Any]] = []
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "here", "PATH_INFO": "/models"}
    environ |= {f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()}

    def app(environ: dict[str, Any], _: Any) -> list[bytes]:
        got.append(environ)
        return []

    Forwarded(app, networks(trusted))(environ, None)
    return got[0]


@pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1", "", "10.0.0.1.evil", "::1", "11.0.0.1"])
def test_a_stranger_is_believed_nothing(peer: str) -> None:
    """Address, scheme, host and path stay what the connection says, and no header reaches the app."""
    told = seen(peer, **{"for": "198.51.100.1", "proto": "https", "host": "evil", "prefix": "/evil", "ssl": "on"})
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == (peer, "http", "here")
    assert "SCRIPT_NAME" not in told
    assert not [name for name in told if "FORWARDED" in name]


def test_nobody_is_trusted_unless_named() -> None:
    """Without the setting not even this machine is."""
    assert seen("127.0.0.1", trusted="", proto="https")["wsgi.url_scheme"] == "http"


def test_a_named_proxy_is_believed() -> None:
    """All four at once."""
    told = seen(PROXY, **{"for": STRANGER, "proto": "https", "host": "a.example:8443", "prefix": "/why/"})
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == (STRANGER, "https", "a.example:8443")
    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("/why", "/models")


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (STRANGER, STRANGER),
        (f"1.2.3.4, {STRANGER}", STRANGER),  # what stands further left is the client's invention
        (f"1.2.3.4, {STRANGER}, {SECOND}", STRANGER),
        (f"{PROXY}, {STRANGER}", STRANGER),
        (f"{SECOND}, {PROXY}", SECOND),
        (f"{STRANGER}:4711", STRANGER),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.9", STRANGER),
        ("unknown", PROXY),
        ("<script>", PROXY),
        (f"{STRANGER}, unknown, {SECOND}", SECOND),
        ("", PROXY),
        ("," * 5000, PROXY),
    ],
)
def test_the_client_is_the_last_one_that_is_no_proxy(chain: str, client: str) -> None:
    """Read from the right; the first thing that is no address ends the reading."""
    assert seen(PROXY, **{"for": chain})["REMOTE_ADDR"] == client


def test_the_nearest_proxy_has_the_last_word() -> None:
    """Of several values the last one is what the trusted peer itself said."""
    told = seen(PROXY, proto="https, http", host="evil.example, good.example", prefix="/evil, /good")
    assert (told["wsgi.url_scheme"], told["HTTP_HOST"], told["SCRIPT_NAME"]) == ("http", "good.example", "/good")


@pytest.mark.parametrize(
    ("path", "left"), [("/why/models", "/models"), ("/models", "/models"), ("/why", "/"), ("/whyever", "/whyever")]
)
def test_the_prefix_may_be_passed_on_or_taken_away(path: str, left: str) -> None:
    """The app gets the same path either way."""
    got: list[dict[str, Any]] = []
    environ = {"REMOTE_ADDR": PROXY, "PATH_INFO": path, "HTTP_X_FORWARDED_PREFIX": "/why"}
    Forwarded(lambda e, _: got.append(e) or [], networks("10.0.0.0/8"))(environ, None)  # type: ignore[func-returns-value]
    assert (got[0]["SCRIPT_NAME"], got[0]["PATH_INFO"]) == ("/why", left)


@pytest.mark.parametrize(
    "said",
    [
        {"proto": "gopher"},
        {"host": "a b"},
        {"host": "a/../b"},
        {"host": "a@b"},
        {"host": "a:123456"},
        {"prefix": "why"},
        {"prefix": "//evil.example"},
        {"prefix": "/a/../b"},
        {"prefix": "/a\\b"},
        {"prefix": "/<script>"},
        {"prefix": "javascript:alert(1)"},
    ],
)
def test_nonsense_of_a_proxy_is_left_to_be_refused(said: dict[str, str]) -> None:
    """It is neither used nor passed over."""
    told = seen(PROXY, **said)
    assert told[PROBLEM]
    assert (told["wsgi.url_scheme"], told["HTTP_HOST"], told.get("SCRIPT_NAME")) == ("http", "here", None)


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1/33", "10.0.0.1/8", "*"])
def test_networks_are_read_strictly(text: str) -> None:
    """A name, a star, or a network with host bits is refused with the word that is wrong."""
    with pytest.raises(SettingsError, match="EXPLAINER_TRUSTED_PROXIES"):
        networks(text)
