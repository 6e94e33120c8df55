"""TLS on sockets that nobody waits for: what works without it works with it."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from explainer.listening.tls import Certificate, certificate_of
from explainer.settings import Settings, SettingsError
from tests.attacks.certificates import trusting, write

GET = b"GET /echo HTTP/1.1\r\nHost: here\r\n\r\n"
APP = "tests.listening.secure_app"


@dataclass(frozen=True)
class Running:
    port: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes]

    def plain(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def connect(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        trusted = context or trusting(self.folder / "certificate.pem")
        return trusted.wrap_socket(self.plain(), server_hostname="localhost")

    def ask(self, path: str, body: bytes = b"") -> tuple[int, bytes]:
        context = trusting(self.folder / "certificate.pem")
        client = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        with contextlib.closing(client):
            client.request("POST", path, body)
            answer = client.getresponse()
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = write(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"BIND": f"127.0.0.1:{port}", "NOTE": str(folder / "note"), "CERTIFICATE": str(certificate), "KEY": str(key)}
    log = folder / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "gunicorn", "-c", f"python:{APP}", f"{APP}:app"]
        process = subprocess.Popen(command, env=os.environ | own, stdout=out, stderr=out)
    made = Running(port, folder, log, process)
    try:
        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                made.plain().close()
                break
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield made
    finally:
        process.terminate()
        process.wait(20)


def read_answer(sock: ssl.SSLSocket) -> bytes:
    """The body of one answer."""
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.read()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(running: Running, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3, with ciphers that keep what was said secret when the key is lost later."""
    context = trusting(running.folder / "certificate.pem")
    context.minimum_version = context.maximum_version = version
    with running.connect(context) as sock:
        assert sock.cipher()[0].startswith(("ECDHE-", "TLS_"))  # type: ignore[index]
        sock.sendall(GET)
        assert read_answer(sock) == b""


def test_older_versions_and_weak_ciphers_are_refused(running: Running) -> None:
    """A client that knows TLS 1.1 only, or a cipher without forward secrecy, gets no connection."""
    old, weak = (trusting(running.folder / "certificate.pem") for _ in range(2))
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:AES256-SHA:@SECLEVEL=0")
    for context in (old, weak):
        with pytest.raises(OSError), running.connect(context):  # noqa: PT011 -- whichever way the client puts it
            pass


def test_large_bodies_pass_both_ways(running: Running) -> None:
    """A body of many records arrives whole and comes back whole; so does an answer larger than any buffer."""
    body = os.urandom(150_000)
    assert running.ask("/echo", body) == (200, body)
    assert running.ask("/many?bytes=20000000") == (200, b"x" * 20_000_000)


def test_requests_that_come_together_are_answered_one_after_the_other(running: Running) -> None:
    """Three requests in one record, and one whose second half was decrypted with the first answer under way."""
    one = b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
    with running.connect() as sock:
        sock.sendall(one + b"abc" + one + b"def" + one + b"g")
        assert [read_answer(sock), read_answer(sock)] == [b"abc", b"def"]
        sock.sendall(b"hi")
        assert read_answer(sock) == b"ghi"


def test_what_comes_while_an_answer_is_made_is_not_lost(running: Running) -> None:
    """The app looks for the client's end and finds the next request, which is answered after this one."""
    with running.connect() as sock:
        sock.sendall(b"GET /gone?s=0.3 HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.1)
        sock.sendall(GET)
        assert [read_answer(sock), read_answer(sock)] == [b"", b""]


def test_a_client_that_says_good_bye_is_seen_to_be_gone(running: Running) -> None:
    """TLS ends with a record of its own: the app is told that its client has left."""
    note = running.folder / "note"
    note.unlink(missing_ok=True)
    sock = running.connect()
    sock.sendall(b"GET /gone?s=15 HTTP/1.1\r\nHost: h\r\n\r\n")
    time.sleep(0.3)
    sock.settimeout(1)
    with contextlib.suppress(OSError):
        sock.unwrap()
    sock.close()
    until = time.monotonic() + 20
    while not note.exists() or not note.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert note.read_text() == "gone\n"


def test_an_answer_ends_with_the_end_of_tls(running: Running) -> None:
    """A client can tell a whole answer from one that somebody cut off on the way."""
    with running.connect() as sock:
        sock.sendall(GET.replace(b"Host: here", b"Host: here\r\nConnection: close"))
        told = b""
        while data := sock.recv(4096):  # a connection that is cut off raises SSLEOFError here
            told += data
        assert told.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("said", [GET, b"\x16\x03\x01\xff\xff" + b"\0" * 100, os.urandom(300), b""])
def test_clients_without_tls_cost_nothing(running: Running, said: bytes) -> None:
    """Plain HTTP, half a handshake and noise get no answer of the app, and others are answered meanwhile."""
    with running.plain() as sock:
        sock.sendall(said)
        assert running.ask("/echo", b"still here") == (200, b"still here")
        with contextlib.suppress(OSError):  # it has hung up already
            sock.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.1 200" not in sock.recv(4096)


def test_a_renewed_certificate_is_taken_up(running: Running) -> None:
    """New files are used within seconds and without a signal; files that do not fit leave the earlier one in use."""
    before = running.folder / "certificate.pem"
    first = before.read_bytes()
    (running.folder / "key.pem").write_bytes(b"half of a ke")
    time.sleep(2)
    assert running.ask("/echo", b"x") == (200, b"x")
    assert "stays in use" in running.log.read_text()
    write(running.folder)
    assert before.read_bytes() != first
    until = time.monotonic() + 20
    while True:
        with contextlib.suppress(ssl.SSLCertVerificationError):
            assert running.ask("/echo", b"x") == (200, b"x")
            break
        assert time.monotonic() < until
        time.sleep(0.2)


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    """A key that others can read, one with a password, one of another certificate, and files that are not there."""
    certificate, key = write(tmp_path)
    Certificate(certificate, key)
    key.chmod(0o604)
    with pytest.raises(SettingsError, match="chmod o="):
        Certificate(certificate, key)
    write(tmp_path, password=b"hush")
    key.chmod(0o600)
    with pytest.raises(SettingsError, match="cannot be used"):
        Certificate(certificate, key)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(SettingsError, match="cannot be used"):
        Certificate(certificate, write(other)[1])
    with pytest.raises(SettingsError, match="cannot be read"):
        Certificate(tmp_path / "absent.pem", key)


def test_settings_that_do_not_go_together(tmp_path: Path) -> None:
    """Certificate and key come together, the version is a known one, and cookies are then for TLS alone."""
    certificate, key = write(tmp_path)
    assert certificate_of(Settings()) is None
    given = {"EXPLAINER_TLS_CERTIFICATE": str(certificate), "EXPLAINER_TLS_KEY": str(key)}
    settings = Settings.from_environment(given)
    assert settings.secure_cookies
    assert settings.session_cookie.startswith("__Host-")
    assert certificate_of(settings) is not None
    for wrong in ({"EXPLAINER_TLS_MINIMUM": "1.1"}, {"EXPLAINER_SECURE_COOKIES": "0"}):
        with pytest.raises(SettingsError):
            certificate_of(Settings.from_environment(given | wrong))
    with pytest.raises(SettingsError, match="together"):
        certificate_of(Settings.from_environment({"EXPLAINER_TLS_KEY": str(key)}))
