"""TLS on sockets that nobody waits for, and the certificate behind it, taken up anew when its files change."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import stat
from pathlib import Path
from typing import Any, Final

from explainer import logs
from explainer.settings import Settings, SettingsError

log = logging.getLogger(__name__)

VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2: forward secrecy and authenticated encryption only
OTHERS: Final = stat.S_IRWXO
Mark = tuple[tuple[int, int, int], ...]


class Certificate:
    """Certificate chain and key in PEM files. `wrap` puts TLS around a connection that was accepted."""

    def __init__(self, certificate: Path, key: Path, minimum: str = "1.2") -> None:
        """Raises SettingsError when the files cannot be used."""
        self._files = (certificate, key)
        self._minimum = minimum
        self._mark = self._look()
        self._context = self._load()

    def wrap(self, sock: socket.socket) -> SecureSocket:
        """Raises OSError when the client has gone; the handshake is made by the first reads."""
        return SecureSocket(self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False))

    def renew(self) -> None:
        """Use the files as they are now for new connections; files that cannot be used leave all as it was."""
        try:
            mark = self._look()
            if mark == self._mark:
                return
            self._mark = mark
            self._context = self._load()
        except SettingsError as error:
            log.warning("%s The earlier certificate stays in use.", error.detail, extra=logs.event("tls.refused"))
        else:
            log.info("the certificate was renewed", extra=logs.event("tls.renewed"))

    def _look(self) -> Mark:
        """What changes when a file is written or replaced; a file that is not there has no mark."""
        found = []
        for path in self._files:
            with contextlib.suppress(OSError):
                seen = path.stat()
                found.append((seen.st_mtime_ns, seen.st_size, seen.st_ino))
        return tuple(found)

    def _load(self) -> ssl.SSLContext:
        certificate, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = VERSIONS[self._minimum]
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(["http/1.1"])
        try:
            if stat.S_IMODE(key.stat().st_mode) & OTHERS:
                raise SettingsError(f"{key} (EXPLAINER_TLS_KEY) can be reached by every user: chmod o= {key}.")
            context.load_cert_chain(certificate, key, password=lambda: "")  # never ask a terminal for one
        except ssl.SSLError as error:
            why = error.reason or "no certificate and key in PEM form that belong together, the key without a password"
            raise SettingsError(f"{certificate} and {key} (EXPLAINER_TLS_*) cannot be used: {why}.") from None
        except OSError as error:
            named = error.filename or f"{certificate} or {key}"
            raise SettingsError(f"{named} (EXPLAINER_TLS_*) cannot be read: {error.strerror}.") from None
        return context


def certificate_of(settings: Settings) -> Certificate | None:
    """None where TLS is not asked for. Raises SettingsError for settings or files that do not go together."""
    if settings.tls_minimum not in VERSIONS:
        raise SettingsError(f"EXPLAINER_TLS_MINIMUM={settings.tls_minimum!r} is none of: {', '.join(VERSIONS)}.")
    if settings.tls_certificate is None and settings.tls_key is None:
        return None
    if settings.tls_certificate is None or settings.tls_key is None:
        raise SettingsError("EXPLAINER_TLS_CERTIFICATE and EXPLAINER_TLS_KEY are given together or not at all.")
    if not settings.secure_cookies:
        raise SettingsError("EXPLAINER_SECURE_COOKIES=0 does not go together with EXPLAINER_TLS_CERTIFICATE.")
    return Certificate(settings.tls_certificate, settings.tls_key, settings.tls_minimum)


class SecureSocket:
    """A socket with TLS that behaves as a plain one which does not block: BlockingIOError where TLS has to wait."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._socket = sock
        self._ahead = b""  # was decrypted and not taken yet

    def recv(self, size: int, flags: int = 0) -> bytes:
        """With MSG_PEEK what is returned stays here, where no poll sees it: ask `unread` before waiting for more."""
        if not self._ahead:
            self._ahead = self._decrypted(size)
        taken = self._ahead[:size]
        if not flags & socket.MSG_PEEK:
            self._ahead = self._ahead[size:]
        return taken

    def unread(self) -> bytes:
        """What was peeked at and not taken; takes it."""
        taken, self._ahead = self._ahead, b""
        return taken

    def send(self, data: Any) -> int:
        try:
            return self._socket.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def shutdown(self, how: int) -> None:
        """Say the end in TLS before that of the connection, as far as the client still listens."""
        with contextlib.suppress(OSError, ValueError):
            self._socket.unwrap()
        self._socket.shutdown(how)

    def _decrypted(self, size: int) -> bytes:
        """All whole records that have come, at least one: what OpenSSL holds back no poll would tell of."""
        parts: list[bytes] = []
        while (left := size - sum(map(len, parts))) > 0 or self._socket.pending():
            try:
                data = self._socket.recv(max(left, self._socket.pending()))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if parts:
                    break
                raise BlockingIOError from None
            if not data:
                break
            parts.append(data)
        return b"".join(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)
