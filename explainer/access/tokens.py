"""Bearer tokens of identity providers: who signed, for whom, until when, and which role that means here."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from explainer.access.providers import Provider
from explainer.access.signing_keys import SigningKeys
from explainer.errors import NotAuthenticated, NotPermitted
from explainer.records import Principal

SKEW_S = 60  # clocks differ
LONGEST = 16_384
NOT_VALID = "This token is not valid here"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say beside its issuer."""

    audiences: tuple[str, ...]
    nonce: str | None = None


class Tokens:
    """Those of the providers given, and of nobody else."""

    def __init__(self, providers: Sequence[Provider], *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.providers = {p.name: p for p in providers}
        self.keys = {p.name: SigningKeys(p) for p in providers}
        self._by_issuer = {p.issuer: p for p in providers}

    def principal(self, token: str) -> Principal:
        """Raises NotAuthenticated for a token that is not good, NotPermitted when its claims give no role, NotReady."""
        provider = self._by_issuer.get(str(_part(token, 1).get("iss")))
        if provider is None or not provider.audiences:
            raise NotAuthenticated(f"{NOT_VALID}: no provider of this service issued it.")
        claims = self.claims(provider, token, Expected(provider.audiences))
        grant = provider.grant_of(claims)
        if grant is None:
            raise NotPermitted(f"The claims of this token give no role here; see the grants of {provider.name}.")
        name = claims.get(provider.name_claim) or claims.get("client_id") or claims["sub"]
        return Principal(identity(provider, claims), "key", grant.role, str(name)[:200], grant.models)

    def claims(self, provider: Provider, token: str, expected: Expected) -> dict[str, Any]:
        """Return the claims of a token that this provider signed for us and that is good now. Raises NotAuthenticated.

        Checked as RFC 8725 asks: the algorithm is one of the provider's list (never `none`, never a shared secret), the
        key is one that it publishes for that algorithm, issuer and audience are ours, and it ends.
        """
        from joserfc import jwt
        from joserfc.errors import JoseError

        header = _part(token, 0)
        if header.get("alg") not in provider.algorithms:
            raise NotAuthenticated(f"{NOT_VALID}: its algorithm is not one of {', '.join(provider.algorithms)}.")
        key = self.keys[provider.name].find(header)
        rules = jwt.JWTClaimsRegistry(
            now=int(self._clock()),
            leeway=SKEW_S,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "values": list(expected.audiences)},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = dict(jwt.decode(token, key, algorithms=list(provider.algorithms)).claims)
            rules.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise NotAuthenticated(f"{NOT_VALID}: {error}.") from None
        if not isinstance(claims["sub"], str) or (expected.nonce is not None and claims.get("nonce") != expected.nonce):
            raise NotAuthenticated(f"{NOT_VALID}: it was issued for another sign-in.")
        return claims


def identity(provider: Provider, claims: dict[str, Any]) -> str:
    """Return the principal's id: the same for the same issuer and subject, and telling neither."""
    return "oidc_" + sha256(f"{provider.issuer}\0{claims['sub']}".encode()).hexdigest()[:24]


def _part(token: str, number: int) -> dict[str, Any]:
    """Header or claims before anything is checked: good for nothing but finding the key."""
    parts = token.split(".")
    try:
        if len(parts) != 3 or len(token) > LONGEST or not token.isascii():
            raise ValueError
        found = orjson.loads(base64.urlsafe_b64decode(parts[number] + "=" * (-len(parts[number]) % 4)))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotAuthenticated(f"{NOT_VALID}: it is no signed JSON Web Token.")
    return found
