"""Sign-in by an identity provider: authorization code with PKCE, state and nonce (OpenID Connect Core, 3.1)."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from explainer.access.challenges import Challenges
from explainer.access.fetching import post_form
from explainer.access.people import People, Person
from explainer.access.providers import Provider
from explainer.access.tokens import Expected, Tokens, identity
from explainer.errors import Conflict, NotAuthenticated, NotFound, NotPermitted
from explainer.settings import SettingsError


@dataclass(frozen=True, slots=True)
class Journey:
    """`address` is where the browser is sent, `cookie` what it must bring back; that is all there is to remember."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Return:
    """What the browser brings back from the provider: the query, its cookie, and the address it came back to."""

    state: str
    code: str
    issuer: str | None
    cookie: str
    address: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """`proven` when the provider asked for a second factor, `changed` when the claims give other rights than before."""

    person: Person
    proven: bool
    changed: bool


class OidcSignIn:
    """Nonce and PKCE verifier are derived from the cookie, so that only the browser that began can end it."""

    def __init__(self, tokens: Tokens, people: People, challenges: Challenges) -> None:
        self._tokens = tokens
        self._people = people
        self._challenges = challenges

    def names(self) -> list[str]:
        """Return the providers that people can sign in with."""
        return [p.name for p in self._tokens.providers.values() if p.client_id is not None]

    def begin(self, name: str, back: str) -> Journey:
        """`back` is the address of our page that the provider leads back to. Raises NotFound, NotReady."""
        provider = self._provider(name)
        cookie = secrets.token_urlsafe(32)
        verifier = _derived(cookie, "verifier")
        query = {
            "response_type": "code",
            "client_id": str(provider.client_id),
            "redirect_uri": back,
            "scope": provider.scope,
            "state": _text(self._challenges.ask(_purpose(name, cookie))),
            "nonce": _derived(cookie, "nonce"),
            "code_challenge": _text(sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        address = self._tokens.keys[name].endpoint("authorization_endpoint")
        return Journey(f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", cookie)

    def finish(self, name: str, back: Return) -> Arrival:
        """Return who came back; somebody new is added with the role that the claims give.

        Raises NotAuthenticated, NotPermitted when the claims give no role, NotFound, NotReady.
        """
        provider = self._provider(name)
        if back.issuer not in (None, provider.issuer):  # RFC 9207: an answer of another provider
            raise NotAuthenticated("This answer is from another identity provider: sign in again.")
        self._challenges.spend(_bytes(back.state), _purpose(name, back.cookie))
        if not back.code:
            raise NotAuthenticated("The identity provider did not sign you in.")
        address = self._tokens.keys[name].endpoint("token_endpoint")
        answer = post_form(address, self._form(provider, back), _login(provider))
        expected = Expected((str(provider.client_id),), _derived(back.cookie, "nonce"))
        claims = self._tokens.claims(provider, str(answer.get("id_token")), expected)
        if claims.get("azp", provider.client_id) != provider.client_id:
            raise NotAuthenticated("This sign-in was made for another service.")
        return self._arrived(provider, claims)

    def _form(self, provider: Provider, back: Return) -> dict[str, str]:
        return {
            "grant_type": "authorization_code",
            "code": back.code,
            "redirect_uri": back.address,
            "client_id": str(provider.client_id),
            "code_verifier": _derived(back.cookie, "verifier"),
        }

    def _arrived(self, provider: Provider, claims: dict[str, Any]) -> Arrival:
        grant = provider.grant_of(claims)
        if grant is None:
            raise NotPermitted("Your account there gives you no role here; ask an administrator.")
        methods = claims.get("amr")
        proven = isinstance(methods, list) and bool(set(provider.second_factors) & {str(m) for m in methods})
        subject = identity(provider, claims)
        person = self._people.of_subject(subject)
        if person is None:
            person = self._added(provider, claims, grant.role, grant.models)
            return Arrival(person, proven, changed=False)
        if person.disabled:
            raise NotAuthenticated("This account is disabled here.")
        changed = (person.role, person.models) != (grant.role, grant.models)
        if changed:
            self._people.set_role(person.id, grant.role, grant.models)
        return Arrival(self._people.get(person.id), proven, changed)

    def _added(self, provider: Provider, claims: dict[str, Any], role: str, models: tuple[str, ...]) -> Person:
        name, subject = str(claims.get(provider.name_claim) or claims["sub"])[:150], identity(provider, claims)
        try:
            return self._people.add(name, None, role, models=models, subject=subject)
        except Conflict:
            # Somebody else has this name: the provider's word for a name never leads into another account.
            return self._people.add(f"{name} ({subject[-8:]})", None, role, models=models, subject=subject)

    def _provider(self, name: str) -> Provider:
        provider = self._tokens.providers.get(name)
        if provider is None or provider.client_id is None:
            raise NotFound(f"There is no identity provider {name[:40]!r}.")
        return provider


def _login(provider: Provider) -> tuple[str, str] | None:
    if provider.client_secret_file is None:
        return None
    try:
        return str(provider.client_id), provider.client_secret_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{provider.client_secret_file} (client_secret_file) cannot be read: {error}.") from None


def _purpose(name: str, cookie: str) -> str:
    return f"oidc {name} {cookie}"


def _derived(cookie: str, purpose: str) -> str:
    return _text(hmac.digest(cookie.encode("utf-8", "replace"), b"explainer oidc " + purpose.encode(), "sha256"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return b""
