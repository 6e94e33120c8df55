"""Alerts leave by webhook and mail, over real connections to servers of this test."""

from __future__ import annotations

import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from explainer.monitoring.alerts import Alert, Outbox, Waiting
from explainer.monitoring.alerts_sending import Mail, NotSentError, Webhook, read_channels, send_due
from explainer.settings import SettingsError
from tests.attacks.certificates import write
from tests.monitoring.mail_server import mail_server

SECRET = "a secret of some length"
ALERT = Alert("unusual-hours", "key_7\r\nBcc: evil@example.org", "It is active at 03:00 UTC.")
WAITING = Waiting(4, "ops", ALERT, 1_800_000_000.0, 1, 0)


@dataclass
class Got:
    url: str
    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Got]:
    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.requests.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(got.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            """Keep the test's output quiet."""

    server = HTTPServer(("127.0.0.1", 0), Take)
    got = Got(f"http://127.0.0.1:{server.server_port}/alerts?team=risk")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_is_signed_and_tells_what_happened(hook: Got) -> None:
    """The receiver can tell with the shared secret that it is ours, and when it was sent."""
    Webhook("ops", hook.url, SECRET.encode()).send(WAITING)
    headers, body = hook.requests[0]
    signed = headers["X-Explainer-Timestamp"].encode() + b"." + body
    assert headers["X-Explainer-Signature"] == "v1=" + hmac.new(SECRET.encode(), signed, sha256).hexdigest()
    told = json.loads(body)
    assert (told["id"], told["kind"], told["raised_at"]) == (4, "unusual-hours", "2027-01-15T08:00:00+00:00")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_a_webhook_refuses_is_not_sent(hook: Got, status: int) -> None:
    """A redirect is a refusal too: the alert does not go where nobody named."""
    hook.status = status
    with pytest.raises(NotSentError, match=str(status)):
        Webhook("ops", hook.url, SECRET.encode()).send(WAITING)
    assert len(hook.requests) == 1


def test_nobody_there_is_not_sent() -> None:
    """A port where nothing listens; the message says no secret and no address."""
    with pytest.raises(NotSentError, match="ConnectionRefusedError"):
        Webhook("ops", "http://127.0.0.1:9/", SECRET.encode()).send(WAITING)


def test_mail_goes_over_tls_with_a_password(tmp_path: Path) -> None:
    """Nothing but greetings in clear; a name with a line break adds no header."""
    certificate, key = write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with mail_server(context) as taken:
        to = ("risk@example.org", "ops@example.org")
        mail = Mail("m", "localhost", "why@example.org", to, taken.port, "why", "hush", ca=certificate)
        mail.send(WAITING)
        stranger = Mail("m", "localhost", "why@example.org", to, taken.port, "why", "hush")
        with pytest.raises(NotSentError, match="SSLCertVerificationError"):
            stranger.send(WAITING)
    ((secure, user, text),) = taken.messages
    assert (secure, user) == (True, ":why:hush")
    head, _, body = text.partition("\r\n\r\n")
    assert "Subject: explainer: unusual-hours: key_7" in head
    assert not [line for line in head.splitlines() if line.startswith("Bcc")]
    assert "It is active at 03:00 UTC." in body


def test_a_server_without_tls_gets_no_mail() -> None:
    """Somebody who takes STARTTLS out of the greeting does not read the alert."""
    with mail_server(None) as taken:
        with pytest.raises(NotSentError, match="NotSupported"):
            Mail("m", "127.0.0.1", "a@example.org", ("b@example.org",), taken.port).send(WAITING)
        Mail("m", "127.0.0.1", "a@example.org", ("b@example.org",), taken.port, tls=False).send(WAITING)
    assert len(taken.messages) == 1


def test_what_failed_is_sent_when_the_other_side_is_back(hook: Got, tmp_path: Path) -> None:
    """The channel that works is not asked again for what it took; a channel that was taken away is forgotten."""
    now = [1_800_000_000.0]
    outbox = Outbox(tmp_path / "alerts.db", clock=lambda: now[0])
    outbox.raise_alert(ALERT, ["ops", "mail", "gone"])
    with mail_server(None) as taken:
        mail = Mail("mail", "127.0.0.1", "a@example.org", ("b@example.org",), taken.port, tls=False)
        taken.refusing = True
        channels = (Webhook("ops", hook.url, SECRET.encode()), mail)
        assert send_due(outbox, channels) == 1
        assert send_due(outbox, channels) == 0
        taken.refusing, now[0] = False, now[0] + 16
        assert send_due(outbox, channels) == 1
    assert (len(hook.requests), len(taken.messages)) == (1, 1)
    assert outbox.due() == []


def toml(folder: Path, text: str) -> Path:
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET + "\n")
    path = folder / "alerts.toml"
    path.write_text(text.replace("SECRET", str(secret)))
    return path


def test_channels_are_read_from_a_file(tmp_path: Path) -> None:
    """Both kinds; no secret stands in the file itself, and none is shown."""
    text = """
[[webhook]]
name = "ops"
url = "https://hooks.example.org/x"
secret_file = "SECRET"
[[mail]]
name = "risk"
host = "mail.example.org"
sender = "why@example.org"
to = ["risk@example.org"]
user = "why"
password_file = "SECRET"
"""
    hook, mail = read_channels(toml(tmp_path, text))
    assert isinstance(hook, Webhook)
    assert isinstance(mail, Mail)
    assert (hook.secret, mail.password, mail.tls, mail.port) == (SECRET.encode(), SECRET, True, 587)
    assert SECRET not in repr(hook) + repr(mail)
    assert read_channels(None) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[webhook]]\nname="a"\nurl="http://hooks.example.org"\nsecret_file="SECRET"', "https"),
        ('[[webhook]]\nname="a"\nurl="https://hooks.example.org"', "secret_file"),
        ('[[webhook]]\nname="a"\nurl="https://h"\nsecret="x"', "secret"),
        ('[[mail]]\nname="a"\nhost="mail.example.org"\nsender="a"\nto=["b"]\ntls=false', "this machine"),
        ('[[mail]]\nname="a"', "to"),
        ("[[pager]]", "pager"),
        ('[[mail]]\nname="a"\nhost="h"\nsender="a"\nto=["b"]\n' * 2, "same name"),
        ("[[", "EXPLAINER_ALERTS"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """Each says what is wrong; a secret that others can read, or none, is wrong too."""
    with pytest.raises(SettingsError, match=said):
        read_channels(toml(tmp_path, text))
