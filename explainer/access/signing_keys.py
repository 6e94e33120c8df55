"""The keys that a provider signs with at this moment: fetched, remembered, fetched anew when one is unknown."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from explainer.access.fetching import get_json
from explainer.access.providers import Provider
from explainer.errors import NotAuthenticated, NotReady

if TYPE_CHECKING:
    from joserfc.jwk import Key

log = logging.getLogger(__name__)

NOT_MORE_OFTEN_THAN_S = 60.0
OLDEST_S = 3600.0
FITS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}  # kind of key for the first letters of an algorithm


class SigningKeys:
    """Of one provider; safe for threads. A provider that is away does not matter while its keys are known."""

    def __init__(self, provider: Provider, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider = provider
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: list[Key] = []
        self._tried_at = self._had_at = -OLDEST_S

    def endpoint(self, name: str) -> str:
        """Return an address from the provider's description. Raises NotReady."""
        with self._lock:
            if not self._metadata:
                self._describe()
        address = self._metadata.get(name)
        if not isinstance(address, str):
            raise NotReady(f"Provider {self._provider.name} names no {name}.")
        return address

    def find(self, header: Mapping[str, Any]) -> Key:
        """Return the key that the token's header means. Raises NotAuthenticated when there is none, NotReady.

        Only the provider's own published keys count: a key or an address inside the token is not looked at.
        """
        if self._clock() - self._had_at > OLDEST_S:
            self._refresh()
        found = self._match(header)
        if found is None and self._refresh():
            found = self._match(header)
        if found is None:
            raise NotAuthenticated("This token is signed with a key that its issuer does not publish.")
        return found

    def _match(self, header: Mapping[str, Any]) -> Key | None:
        wanted, algorithm = header.get("kid"), str(header["alg"])
        fitting = [k for k in self._keys if k.key_type == FITS[algorithm[:2]] and k.get("alg") in (None, algorithm)]
        if wanted is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((k for k in fitting if k.kid == wanted), None)

    def _refresh(self) -> bool:
        """Fetch the keys, at most once a minute; whether they were fetched by anybody since this was called."""
        called = self._clock()
        with self._lock:
            if self._had_at >= called:
                return True
            if called - self._tried_at < NOT_MORE_OFTEN_THAN_S:
                if not self._keys:
                    raise NotReady(f"The keys of provider {self._provider.name} could not be fetched yet.")
                return False
            self._tried_at = called
            try:
                if not self._metadata:
                    self._describe()
                self._keys = _keys(get_json(str(self._metadata.get("jwks_uri"))))
                self._had_at = self._clock()
            except NotReady as error:
                if not self._keys:
                    raise
                log.warning("the keys of provider %s could not be fetched anew: %s", self._provider.name, error.detail)
                return False
            return True

    def _describe(self) -> None:
        found = get_json(self._provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self._provider.issuer:
            raise NotReady(f"{self._provider.issuer} describes another issuer; see to EXPLAINER_OIDC.")
        self._metadata = found


def _keys(document: Mapping[str, Any]) -> list[Key]:
    """The public signing keys of a JWKS; what cannot be read is left out, as RFC 7517, 5 asks."""
    from joserfc import jwk
    from joserfc.errors import JoseError

    listed, found = document.get("keys"), []
    for item in listed if isinstance(listed, list) else []:
        if not isinstance(item, dict) or item.get("kty") not in FITS.values() or item.get("use", "sig") != "sig":
            continue
        try:
            found.append(jwk.import_key(item))
        except (JoseError, ValueError, TypeError, KeyError):
            log.warning("a published key could not be read: kid %r", str(item.get("kid"))[:60])
    return found
