"""Identity providers (OpenID Connect) that this service trusts, from a TOML file."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from explainer.access.roles import DEMO, grantable_roles
from explainer.settings import SettingsError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
DEFAULT_ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")


@dataclass(frozen=True, slots=True)
class Grant:
    """Who has `value` in (or as) the claim gets the role for these models."""

    claim: str
    value: str
    role: str
    models: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Provider:
    """One issuer. `audiences` are those of bearer tokens; with `client_id` people can sign in to the pages as well.

    `second_factors` are the values of `amr` that count as a second factor; without one of them it is asked for here.
    """

    name: str
    issuer: str
    grants: tuple[Grant, ...]
    audiences: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    client_id: str | None = None
    client_secret_file: Path | None = None
    scope: str = "openid profile"
    name_claim: str = "preferred_username"
    second_factors: tuple[str, ...] = ("mfa",)

    def grant_of(self, claims: Mapping[str, Any]) -> Grant | None:
        """Return the first grant that the claims fit."""
        return next((g for g in self.grants if g.value in _values(claims.get(g.claim))), None)


def read_providers(path: Path | None) -> tuple[Provider, ...]:
    """Raises SettingsError naming what cannot be used; None is no provider."""
    if path is None:
        return ()
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} (EXPLAINER_OIDC) cannot be read: {error}.") from None
    try:
        if set(tables) - {"provider"}:
            raise ValueError(f"{sorted(set(tables) - {'provider'})[0]!r} is not known; write [[provider]] tables")
        found = tuple(_provider(table) for table in tables.get("provider", []))
        for what in ("name", "issuer"):
            if len({getattr(p, what) for p in found}) != len(found):
                raise ValueError(f"two providers have the same {what}")
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} (EXPLAINER_OIDC) cannot be used: {error}.") from None
    return found


def is_safe_address(address: str) -> bool:
    """Whether it is https, or a place on this machine."""
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return True
    return parts.scheme == "http" and is_loopback_host(parts.hostname or "")


def is_loopback_host(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _provider(table: dict[str, Any]) -> Provider:
    given = dict(table)
    secret = given.pop("client_secret_file", None)
    grants = tuple(_grant(g) for g in given.pop("grant", []))
    lists = {k: _texts(k, given.pop(k)) for k in ("audiences", "algorithms", "second_factors") if k in given}
    for key, value in given.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f"{key} must be a text")
    file = None if secret is None else Path(secret)
    provider = Provider(**given, grants=grants, client_secret_file=file, **lists)  # type: ignore[arg-type]
    if not provider.name.isidentifier() and not provider.name.replace("-", "_").isidentifier():
        raise ValueError(f"name {provider.name!r}: use letters, digits and hyphens")
    if not is_safe_address(provider.issuer):
        raise ValueError(f"issuer {provider.issuer!r} must begin with https://")
    if strange := sorted(set(provider.algorithms) - set(ALGORITHMS)):
        raise ValueError(f"algorithm {strange[0]!r} is not one of {', '.join(ALGORITHMS)}")
    if not provider.audiences and provider.client_id is None:
        raise ValueError(f"provider {provider.name!r} needs audiences (for programs) or client_id (for people)")
    return provider


def _grant(table: dict[str, Any]) -> Grant:
    given = dict(table)
    models = _texts("models", given.pop("models", ["*"]))
    grant = Grant(**given, models=models)
    if grant.role not in grantable_roles() or grant.role == DEMO:
        raise ValueError(f"role {grant.role!r} cannot be granted")
    if not all(isinstance(v, str) and v for v in (grant.claim, grant.value)):
        raise ValueError("claim and value of a grant must be texts")
    return grant


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise ValueError(f"{key} must be a list of texts")
    return tuple(value)


def _values(claim: Any) -> list[str]:
    """A claim that is one text or a list of texts; `scope` and the like hold several with spaces between."""
    if isinstance(claim, str):
        return [claim, *claim.split()]
    return [v for v in claim if isinstance(v, str)] if isinstance(claim, list) else []
