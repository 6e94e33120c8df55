"""One frozen table, filled from `EXPLAINER_*`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
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
    threads: int = 16  # request threads of the web process
    workers_per_model: int = 1  # processes for each served version
    worker_timeout_s: float = 60.0  # wall time of one call before its worker is killed
    open_timeout_s: float = 120.0  # wall time of opening a model
    queue_timeout_s: float = 10.0  # how long a request waits for a free worker
    worker_memory_mb: int = 4096  # address space beyond which a worker is refused memory
    max_rows: int = 1000  # rows in one request
    max_body_bytes: int = 8_000_000
    max_depth: int = 32  # nesting of a JSON body
    cache_memory_mb: int = 64
    cache_disk_mb: int = 512
    session_hours: int = 12
    secure_cookies: bool = False  # set when TLS is in front
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `EXPLAINER_<FIELD>`; an unknown or unreadable setting raises SettingsError naming it."""
        given = {k: v for k, v in (environment or os.environ).items() if k.startswith(PREFIX)}
        kinds = {f"{PREFIX}{f.name.upper()}": f for f in dataclasses.fields(cls)}
        if unknown := sorted(set(given) - set(kinds)):
            raise SettingsError(f"{unknown[0]} is not a setting; see docs/reference/settings.md for the list.")
        return cls(**{kinds[k].name: _parse(k, str(kinds[k].type), v) for k, v in given.items()})  # type: ignore[arg-type]


def _parse(name: str, kind: str, text: str) -> object:
    try:
        if kind == "bool":
            return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
        if kind.startswith("Path"):
            return Path(text)
        return {"int": int, "float": float, "str": str}[kind](text)
    except (ValueError, KeyError):
        raise SettingsError(f"{name}={text!r} cannot be read as {kind}.") from None
