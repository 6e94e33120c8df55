"""One frozen table, filled from `EXPLAINER_*`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from explainer.errors import ExplainerError

PREFIX = "EXPLAINER_"
SESSION_COOKIE = "explainer_session"


class SettingsError(ExplainerError):
    code, title = "bad-setting", "A setting cannot be used"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, its default and (in docs/reference/settings.md) its meaning."""

    var: Path = Path("var")  # everything the service writes
    registry: Path = Path("var/registry")  # registered versions
    trusted_keys: Path | None = None  # folder of Ed25519 public keys that may sign manifests
    host: str = "127.0.0.1"
    port: int = 8080
    web_processes: int = 0  # web processes; 0: one for each core, at most 4
    threads: int = 32  # request threads of each web process
    drain_s: float = 15.0  # how long requests that are being answered may take when the service is stopped
    workers_per_model: int = 0  # processes for each served version; 0: one, and as requests wait one for each core
    worker_idle_s: float = 300.0  # after which a worker that was started because requests waited goes again
    worker_timeout_s: float = 60.0  # wall time of one call before its worker is killed
    open_timeout_s: float = 120.0  # wall time of opening a model
    queue_timeout_s: float = 10.0  # how long a request waits for a free worker
    queue_length: int = 48  # requests that wait for one version; later ones are refused at once
    queue_per_principal: int = 32  # of these, at most so many of one principal
    worker_memory_mb: int = 4096  # address space beyond which a worker is refused memory
    worker_recycle_mb: int = 2048  # resident memory beyond which a worker is replaced; 0: never
    max_rows: int = 1000  # rows in one request
    max_body_bytes: int = 8_000_000
    max_depth: int = 32  # nesting of a JSON body
    cache_memory_mb: int = 64
    answer_memory_mb: int = 32  # rendered answers that each web process keeps for a minute; 0: none
    cache_disk_mb: int = 512
    cache_ttl_s: int = 2_592_000  # seconds after which an answer is computed anew; 0: never
    redis_url: str | None = field(default=None, repr=False)  # shared cache of several hosts; may hold a password
    master_key: str | None = field(default=None, repr=False)  # base64 of 32 bytes, several with spaces between
    master_key_file: Path | None = None
    master_key_command: str | None = field(default=None, repr=False)  # prints the keys; its words may hold a token
    session_hours: int = 12
    session_idle_minutes: int = 60
    public_url: str = ""  # address of the pages as people see it, for passkeys, one-time links and identity providers
    oidc: Path | None = None  # TOML file of trusted identity providers
    secure_cookies: bool = False  # set when TLS is in front; by itself where TLS or an https address is set
    alerts: Path | None = None  # TOML file of webhooks and mail servers that are told of alerts
    log_level: str = "INFO"
    log_format: str = "auto"  # json, plain, or auto: plain on a terminal, else json
    # OpenTelemetry collector (OTLP over HTTP), which may hold a password; needs the extra `otel`
    otel_endpoint: str | None = field(default=None, repr=False)
    export_above_rows: int = 200  # rows of an explain request from which on it is answered as an export
    export_open_jobs: int = 10  # exports of one principal that wait, run or are paused
    export_daily_rows: int = 10_000_000  # rows that the exports of one principal read in 24 hours
    export_days: int = 7  # days after which the files of an export are removed
    export_inputs: Path | None = None  # folder of files that may be exported by name
    tls_certificate: Path | None = None  # PEM file with the certificate and its chain
    tls_key: Path | None = None  # PEM file with its key
    tls_minimum: str = "1.2"  # or 1.3
    trusted_proxies: str = ""  # addresses and networks whose X-Forwarded-* is believed
    cors_origins: str = ""  # origins whose pages may call the API
    require_approval: bool = False  # every new version waits for somebody other than who registered it
    review_sample: float = 0.02  # share of decisions that a person looks at whatever they are
    review_blind: str = "sample"  # decisions that are judged before the answer is shown: never, sample, always
    notice_sender: str = ""  # who decides, as a notice names it
    notice_address: str = ""  # its postal address
    notice_contact: str = ""  # how to reach it to contest a decision
    notice_agency: str = ""  # who oversees it: name and address, for notices under Regulation B
    notice_language: str = "en"  # language of the owners' texts, and of a notice when none is asked for

    @property
    def session_cookie(self) -> str:
        """The cookie's name; the prefix makes browsers refuse one that was set without TLS or by a neighbour host."""
        return f"__Host-{SESSION_COOKIE}" if self.secure_cookies else SESSION_COOKIE

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `EXPLAINER_<FIELD>`; an unknown or unreadable setting raises SettingsError naming it."""
        given = {k: v for k, v in (environment or os.environ).items() if k.startswith(PREFIX)}
        kinds = {f"{PREFIX}{f.name.upper()}": f for f in dataclasses.fields(cls)}
        if unknown := sorted(set(given) - set(kinds)):
            raise SettingsError(f"{unknown[0]} is not a setting; see docs/reference/settings.md for the list.")
        read = {kinds[k].name: _parse(k, str(kinds[k].type), v) for k, v in given.items()}
        if "tls_certificate" in read or str(read.get("public_url", "")).startswith("https://"):
            read.setdefault("secure_cookies", True)
        return cls(**read)  # type: ignore[arg-type]


def _parse(name: str, kind: str, text: str) -> object:
    try:
        if kind == "bool":
            return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
        if kind.startswith("Path"):
            return Path(text)
        return {"int": int, "float": float, "str": str}[kind.removesuffix(" | None")](text)
    except (ValueError, KeyError):
        raise SettingsError(f"{name}={text!r} cannot be read as {kind}.") from None
