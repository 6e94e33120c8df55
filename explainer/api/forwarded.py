"""What a proxy says about whoever asked it: believed of named proxies alone, taken away from everybody else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from explainer.settings import SettingsError

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PROBLEM: Final = "explainer.forwarded_problem"  # where the app finds what it has to refuse
FOR, PROTO, HOST, PREFIX = (f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PREFIX"))
TAKEN: Final = (FOR, PROTO, HOST, PREFIX, "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_SSL", "HTTP_FORWARDED")
HOST_FORM: Final = re.compile(r"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
PREFIX_FORM: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)*/?")
MOST_HOPS: Final = 20


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks (CIDR) with commas or spaces between. Raises SettingsError for what is neither."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError as error:
            raise SettingsError(f"EXPLAINER_TRUSTED_PROXIES: {word!r} is no address and no network: {error}.") from None
    return tuple(found)


class Forwarded:
    """WSGI in front of `app`: sets REMOTE_ADDR, scheme, host and SCRIPT_NAME as a trusted peer forwards them.

    The last value of a header is the nearest proxy's own. Of `X-Forwarded-For` the addresses of trusted proxies are
    passed over from the right; what stands left of the first other one was said by a client and means nothing.
    """

    def __init__(self, app: App, trusted: tuple[Network, ...]) -> None:
        self._app = app
        self._trusted = trusted

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        given = {name: environ.pop(name) for name in TAKEN if name in environ}
        if given and self._trusts(_address(environ.get("REMOTE_ADDR", ""))):
            environ["REMOTE_ADDR"] = self._client(environ["REMOTE_ADDR"], given.get(FOR, ""))
            _describe(environ, {name: value.rpartition(",")[2].strip() for name, value in given.items()})
        return self._app(environ, start_response)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)

    def _client(self, peer: str, chain: str) -> str:
        client = peer
        for word in _from_the_right(chain):
            address = _address(word)
            if address is None:
                break
            client = str(address)
            if not self._trusts(address):
                break
        return client


def _from_the_right(chain: str) -> Iterator[str]:
    yield from (word.strip() for word in reversed(chain.rsplit(",", MOST_HOPS)))


def _describe(environ: Environ, said: dict[str, str]) -> None:
    """Take scheme, host and prefix over; what cannot be understood is left for the app to refuse."""
    if PROTO in said:
        if said[PROTO] not in {"http", "https"}:
            environ[PROBLEM] = "X-Forwarded-Proto is neither http nor https"
            return
        environ["wsgi.url_scheme"] = said[PROTO]
    if HOST in said:
        if not HOST_FORM.fullmatch(said[HOST]):
            environ[PROBLEM] = "X-Forwarded-Host is no host"
            return
        environ["HTTP_HOST"] = said[HOST]
    if said.get(PREFIX):
        if not PREFIX_FORM.fullmatch(said[PREFIX]):
            environ[PROBLEM] = "X-Forwarded-Prefix is no path"
            return
        _move(environ, said[PREFIX].rstrip("/"))


def _move(environ: Environ, prefix: str) -> None:
    """Proxies may pass the prefix on or take it away: the app never sees it in the path."""
    environ["SCRIPT_NAME"] = prefix
    path = environ.get("PATH_INFO", "")
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        environ["PATH_INFO"] = path[len(prefix) :] or "/"


def _address(text: str) -> Address | None:
    """`192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`; None for anything else."""
    bare = text.partition("]")[0].lstrip("[") if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
