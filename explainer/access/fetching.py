"""Small JSON documents of an identity provider: in time, of bounded size, and from nowhere else."""

from __future__ import annotations

import base64
import http.client
import urllib.error
import urllib.parse
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from explainer.access.providers import is_safe_address
from explainer.errors import NotAuthenticated, NotReady

if TYPE_CHECKING:
    from urllib.request import OpenerDirector, Request

PATIENCE_S = 5.0
LARGEST = 1_000_000


@cache
def _opener() -> OpenerDirector:
    """Made when it is first needed: few services have a provider."""
    from urllib.request import HTTPRedirectHandler, build_opener

    class StayHere(HTTPRedirectHandler):
        def redirect_request(self, *args: Any, **kwargs: Any) -> None:
            return None

    return build_opener(StayHere)


def get_json(address: str) -> dict[str, Any]:
    """Raises NotReady when it cannot be had within 5 s, is no JSON object or leads elsewhere."""
    return _asked(_request(address))


def post_form(address: str, form: Mapping[str, str], login: tuple[str, str] | None = None) -> dict[str, Any]:
    """Send a form, with HTTP Basic where `login` is given.

    Raises NotAuthenticated when it is refused, NotReady as `get_json` does.
    """
    request = _request(address, urllib.parse.urlencode(form).encode())
    if login is not None:
        plain = ":".join(urllib.parse.quote(part, safe="") for part in login)
        request.add_header("Authorization", "Basic " + base64.b64encode(plain.encode()).decode())
    return _asked(request)


def _request(address: str, data: bytes | None = None) -> Request:
    from urllib.request import Request

    if not is_safe_address(address):
        raise NotReady(f"The identity provider names {address.partition('?')[0]!r}, which is not https.")
    return Request(address, data)  # noqa: S310 - checked just now


def _asked(request: Request) -> dict[str, Any]:
    where = request.full_url.partition("?")[0]
    request.add_header("Accept", "application/json")
    try:
        with _opener().open(request, timeout=PATIENCE_S) as response:
            text = response.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        if request.data is not None and error.code in {400, 401, 403}:
            raise NotAuthenticated("The identity provider did not accept this sign-in.") from None
        raise NotReady(f"The identity provider answered {error.code} at {where}. Try again later.") from None
    except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as error:
        reason = type(error).__name__
        raise NotReady(f"The identity provider did not answer at {where}: {reason}. Try again later.") from None
    try:
        found = orjson.loads(text) if len(text) <= LARGEST else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotReady(f"The identity provider's answer at {where} is no JSON object of at most {LARGEST} bytes.")
    return found
