"""Ways on which alerts leave: a signed webhook and e-mail, with what a TOML file says of them."""

from __future__ import annotations

import hmac
import http.client
import ipaddress
import logging
import smtplib
import ssl
import stat
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import orjson

from explainer import logs
from explainer.monitoring.alerts import Outbox, Waiting
from explainer.settings import SettingsError

log = logging.getLogger(__name__)

PATIENCE_S: Final = 10.0
SIGNATURE, TIMESTAMP = "X-Explainer-Signature", "X-Explainer-Timestamp"


class NotSentError(Exception):
    """The other side did not take it; the message holds no secret."""


class Channel(Protocol):
    """A way on which alerts leave; `kinds` are those that it takes, none meaning all."""

    @property
    def name(self) -> str: ...

    def send(self, one: Waiting) -> None:
        """Raises NotSentError."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """POSTs JSON. The signature is HMAC-SHA256 over the timestamp, a dot and the body; redirects are not followed."""

    name: str
    url: str
    secret: bytes = field(repr=False)
    ca: Path | None = None

    def send(self, one: Waiting) -> None:
        parts, body, now = urlsplit(self.url), orjson.dumps(_told(one)), str(int(time.time()))
        signed = hmac.new(self.secret, now.encode() + b"." + body, sha256).hexdigest()
        headers = {"Content-Type": "application/json", TIMESTAMP: now, SIGNATURE: f"v1={signed}"}
        client = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca)
            client = http.client.HTTPSConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S, context=context)
        try:
            client.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
            status = client.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise NotSentError(type(error).__name__) from None
        finally:
            client.close()
        if not 200 <= status < 300:
            raise NotSentError(f"status {status}")


@dataclass(frozen=True, slots=True)
class Mail:
    """Hands the alert to a mail server, over TLS unless that is this machine."""

    name: str
    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    user: str | None = None
    password: str = field(default="", repr=False)
    tls: bool = True
    ca: Path | None = None

    def send(self, one: Waiting) -> None:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"] = f"explainer: {_plain(one.alert.kind)}: {_plain(one.alert.subject)}"
        message["Message-ID"] = f"<alert-{one.id}-{int(one.raised_at)}@explainer>"
        message.set_content("\n".join(f"{name}: {value}" for name, value in _told(one).items()))
        try:
            with smtplib.SMTP(self.host, self.port, timeout=PATIENCE_S) as server:
                if self.tls:
                    server.starttls(context=ssl.create_default_context(cafile=self.ca))
                if self.user is not None:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise NotSentError(type(error).__name__) from None


def send_due(outbox: Outbox, channels: Sequence[Channel]) -> int:
    """Send what is due and return how much was taken; what was not is tried again later. Raises StorageFailed."""
    known, taken = {channel.name: channel for channel in channels}, 0
    for one in outbox.due():
        channel = known.get(one.channel)
        if channel is None:  # it was taken out of the file
            outbox.sent(one)
            continue
        try:
            channel.send(one)
        except NotSentError as error:
            facts = logs.event("alert.failed", channel=one.channel, kind=one.alert.kind, attempts=one.attempts + 1)
            log.warning("an alert could not be sent (%s); it is tried again", error, extra=facts)
            outbox.failed(one)
        else:
            outbox.sent(one)
            taken += 1
    return taken


def read_channels(path: Path | None) -> tuple[Channel, ...]:
    """Read `[[webhook]]` and `[[mail]]` of a TOML file. Raises SettingsError naming what cannot be used."""
    if path is None:
        return ()
    try:
        tables = tomllib.loads(path.read_text())
        if unknown := sorted(set(tables) - {"webhook", "mail"}):
            raise ValueError(f"{unknown[0]!r} is not known; write [[webhook]] or [[mail]] tables")
        found: list[Channel] = [
            *(_webhook(t) for t in tables.get("webhook", [])),
            *(_mail(t) for t in tables.get("mail", [])),
        ]
        if len({channel.name for channel in found}) != len(found):
            raise ValueError("two channels have the same name")
    except (OSError, UnicodeDecodeError, ValueError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} (EXPLAINER_ALERTS) cannot be used: {error}.") from None
    return tuple(found)


def _webhook(table: Mapping[str, Any]) -> Webhook:
    given = dict(table)
    secret = _secret(given.pop("secret_file")) if "secret_file" in given else ""
    made = Webhook(**{**given, "ca": _path(given), "secret": secret.encode()})
    parts = urlsplit(made.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname or "")):
        raise ValueError(f"webhook {made.name!r}: url must begin with https://")
    if len(secret) < 16:
        raise ValueError(f"webhook {made.name!r} needs secret_file, a file with at least 16 characters")
    return made


def _mail(table: Mapping[str, Any]) -> Mail:
    given = dict(table)
    password = _secret(given.pop("password_file")) if "password_file" in given else ""
    made = Mail(**{**given, "to": tuple(given.get("to", ())), "ca": _path(given), "password": password})
    if not made.to:
        raise ValueError(f"mail {made.name!r}: to must be a list of addresses")
    if not made.tls and not _is_here(made.host):
        raise ValueError(f"mail {made.name!r}: tls = false is for a server on this machine only")
    return made


def _path(given: Mapping[str, Any]) -> Path | None:
    return Path(given["ca"]) if "ca" in given else None


def _secret(name: str) -> str:
    path = Path(name)
    if stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
        raise ValueError(f"{path} can be reached by every user: chmod o= {path}")
    return path.read_text().strip()


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _told(one: Waiting) -> dict[str, str | int]:
    at = datetime.fromtimestamp(one.raised_at, UTC).isoformat(timespec="seconds")
    alert = one.alert
    return {"id": one.id, "kind": alert.kind, "subject": alert.subject, "detail": alert.detail, "raised_at": at}


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:200]
