"""Headers over real connections: a service behind a proxy, one with TLS of its own, and clients that forge."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.certificates import trusting, write
from tests.attacks.service import Attacked, attacked
from tests.faults import models

PROXY, STRANGER = "127.0.0.2", "127.0.0.1"  # both reach us over loopback
PAGE = "https://app.example"
FORGED = {
    "X-Forwarded-For": "198.51.100.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "Forwarded": "for=198.51.100.1;proto=https;host=evil.example",
    "SCRIPT_NAME": "/evil",
    "Script-Name": "/evil",
    "PATH_INFO": "/healthz",
    "Path-Info": "/healthz",
    "REMOTE_ADDR": "198.51.100.1",
}
PROXIED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "why.example",
    "X-Forwarded-Prefix": "/why",
}
HTML = {"Accept": "text/html"}
EXPLAIN = "/api/v1/models/steady/explain"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """A service that trusts one proxy and shares its API with one origin."""
    settings = {"EXPLAINER_TRUSTED_PROXIES": f"{PROXY}, 192.0.2.0/24", "EXPLAINER_CORS_ORIGINS": PAGE}
    with attacked(tmp_path_factory.mktemp("behind"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Attacked, Path]]:
    """A service with TLS of its own, and its certificate."""
    folder = tmp_path_factory.mktemp("secure")
    certificate, key = write(folder)
    settings = {"EXPLAINER_TLS_CERTIFICATE": str(certificate), "EXPLAINER_TLS_KEY": str(key)}

    def ready(port: int) -> bool:
        with contextlib.suppress(OSError):
            return ask(port, "GET", "/readyz", certificate=certificate).status == 200
        return False

    with attacked(folder, ready, **settings) as running:
        yield running, certificate


def ask(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    peer: str = STRANGER,
    certificate: Path | None = None,
) -> Answer:
    place: dict[str, Any] = {"host": "127.0.0.1", "port": port, "timeout": 60, "source_address": (peer, 0)}
    if certificate is None:
        client = http.client.HTTPConnection(**place)
    else:
        client = http.client.HTTPSConnection(**place, context=trusting(certificate))
    with contextlib.closing(client):
        client.request(method, path, body, dict(headers or {}))
        answer = client.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())


def links(page: str) -> list[str]:
    """Addresses on this host that a page leads to, or loads from."""
    return [found for found in re.findall(r'(?:href|src|action)="([^"#?]+)', page) if found.startswith("/")]


def test_forged_headers_of_a_stranger_change_nothing(behind: Attacked) -> None:
    """Somebody on this machine itself, which gunicorn would believe: no HSTS, no other address, host or path."""
    page = ask(behind.port, "GET", "/models", HTML | FORGED)
    assert (page.status, page.headers["Location"]) == (302, "/sign-in?next=/models")
    assert "Strict-Transport-Security" not in page.headers
    form = ask(behind.port, "GET", "/sign-in", HTML | FORGED)
    assert form.status == 200
    assert "evil" not in form.text + str(form.headers)
    assert ask(behind.port, "GET", "/api/v1/models", FORGED).status == 401


def test_a_named_proxy_decides_scheme_and_prefix(behind: Attacked) -> None:
    """Every link and redirect of the pages lies below the prefix, and HSTS is sent."""
    page = ask(behind.port, "GET", "/models", HTML | PROXIED, peer=PROXY)
    assert (page.status, page.headers["Location"]) == (302, "/why/sign-in?next=/models")
    assert "max-age" in page.headers["Strict-Transport-Security"]
    form = ask(behind.port, "GET", "/why/sign-in", HTML | PROXIED, peer=PROXY)
    assert form.status == 200
    assert links(form.text)
    assert [link for link in links(form.text) if not link.startswith("/why/")] == []
    for link in {link for link in links(form.text) if "/static/" in link}:
        assert ask(behind.port, "GET", link, PROXIED, peer=PROXY).status == 200


@pytest.mark.parametrize("path", [EXPLAIN, "/why" + EXPLAIN])
def test_the_api_answers_below_a_prefix(behind: Attacked, path: str) -> None:
    """Whether the proxy takes the prefix away or not."""
    headers = PROXIED | {"Authorization": f"Bearer {behind.key}", "Content-Type": "application/json"}
    answer = ask(behind.port, "POST", path, headers, b'{"instances": [[1, 2, 3]]}', peer=PROXY)
    assert answer.status == 200, answer.text
    assert json.loads(answer.text)["explanations"][0]["prediction"] == pytest.approx(models.prediction([1, 2, 3]))


@pytest.mark.parametrize("wrong", [{"X-Forwarded-Host": "a b"}, {"X-Forwarded-Prefix": "//evil.example"}])
def test_a_proxy_that_is_set_up_wrongly_is_told(behind: Attacked, wrong: dict[str, str]) -> None:
    """400 instead of a guess, on pages and on the API, also for what was answered a moment ago."""
    headers = {"Authorization": f"Bearer {behind.key}", "Content-Type": "application/json"}
    for _ in range(2):
        assert ask(behind.port, "POST", EXPLAIN, headers, b'{"instances": [[4, 5, 6]]}', peer=PROXY).status == 200
    answer = ask(behind.port, "POST", EXPLAIN, headers | wrong, b'{"instances": [[4, 5, 6]]}', peer=PROXY)
    assert (answer.status, json.loads(answer.text)["code"]) == (400, "malformed")
    assert ask(behind.port, "GET", "/sign-in", HTML | wrong, peer=PROXY).status == 400


def test_a_repeated_answer_names_the_origin_that_asks(behind: Attacked) -> None:
    """What was answered to one page a moment ago is not shared with another one's origin."""
    headers = {"Authorization": f"Bearer {behind.key}", "Content-Type": "application/json"}
    told = [
        ask(behind.port, "POST", EXPLAIN, headers | extra, b'{"instances": [[7, 8, 9]]}')
        for extra in ({}, {}, {"Origin": PAGE}, {"Origin": "https://evil.example"}, {"Origin": PAGE}, {})
    ]
    assert [answer.status for answer in told] == [200] * 6
    assert [a.headers["Access-Control-Allow-Origin"] for a in told] == [None, None, PAGE, None, PAGE, None]


def test_an_oversized_chain_is_read_in_no_time(behind: Attacked) -> None:
    """A header of 8 kB of addresses, as long as headers may be, is answered like any other."""
    chain = ", ".join(["10.0.0.1"] * 800)
    assert ask(behind.port, "GET", "/healthz", {"X-Forwarded-For": chain}, peer=PROXY).status == 200


def test_tls_of_the_service_itself(secure: tuple[Attacked, Path]) -> None:
    """Pages and API over TLS, HSTS, and no word in clear on the same port."""
    at, certificate = secure
    page = ask(at.port, "GET", "/sign-in", HTML, certificate=certificate)
    assert page.status == 200
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    headers = {"Authorization": f"Bearer {at.key}", "Content-Type": "application/json"}
    body = json.dumps({"instances": [[1, 2, float(i)] for i in range(50)]}).encode()
    assert ask(at.port, "POST", EXPLAIN, headers, body, certificate=certificate).status == 200
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(at.port, "GET", "/healthz")


def test_forged_headers_do_not_take_tls_away(secure: tuple[Attacked, Path]) -> None:
    """`X-Forwarded-Proto: http` of a stranger: addresses stay https, cookies stay for TLS alone."""
    at, certificate = secure
    page = ask(at.port, "GET", "/sign-in", HTML | {"X-Forwarded-Proto": "http"}, certificate=certificate)
    assert "Strict-Transport-Security" in page.headers


def test_cookies_of_a_service_with_tls_never_leave_it(secure: tuple[Attacked, Path]) -> None:
    """The session's cookie is Secure, HttpOnly, SameSite, and bound to this host by its name."""
    at, certificate = secure
    told = models.run(at.environment, "users", "add", "ada", "--role", "analyst")
    password = re.search(r"once\): (\S+)", told)[1]  # type: ignore[index]
    form = {"Content-Type": "application/x-www-form-urlencoded", **HTML}
    body = f"name=ada&password={quote(password)}".encode()
    answer = ask(at.port, "POST", "/sign-in", form, body, certificate=certificate)
    assert answer.status == 303, answer.text
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-explainer_session=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
