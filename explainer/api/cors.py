"""Pages of other origins may read the API's answers only where the settings name them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, request

from explainer.settings import SettingsError

ASKED: Final = "Authorization, Content-Type, X-Request-ID"
SHOWN: Final = "X-Request-ID, Retry-After, Location, ETag"
REMEMBERED_S: Final = 600


def origins(text: str) -> frozenset[str]:
    """Origins (`https://host[:port]`), commas or spaces between. Raises SettingsError for anything else, `*` too."""
    found = text.replace(",", " ").split()
    for word in found:
        parts = urlsplit(word)
        if parts.scheme not in {"http", "https"} or word != f"{parts.scheme}://{parts.netloc}" or "@" in word:
            raise SettingsError(
                f"EXPLAINER_CORS_ORIGINS: {word!r} is no origin; write https://host or https://host:port."
            )
        if "*" in word or not parts.hostname:
            raise SettingsError("EXPLAINER_CORS_ORIGINS: name each origin; there is no star for all of them.")
    return frozenset(word.lower() for word in found)


def allow_origins(app: Flask, allowed: frozenset[str]) -> None:
    """Let pages of these origins call `/api/` with a key of their own; cookies are never shared with them."""
    if not allowed:
        return

    def preflight() -> Response | None:
        """A browser asks before it sends a key, and so without one."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not shared():
            return None
        adapter = app.create_url_adapter(request)
        response = Response(status=HTTPStatus.NO_CONTENT)
        response.headers["Access-Control-Allow-Methods"] = ", ".join(
            sorted(adapter.allowed_methods() if adapter else ())
        )
        response.headers["Access-Control-Allow-Headers"] = ASKED
        response.headers["Access-Control-Max-Age"] = str(REMEMBERED_S)
        return response

    def answer(response: Response) -> Response:
        if request.path.startswith("/api/"):
            response.vary.add("Origin")
        if shared():
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = SHOWN
        return response

    def shared() -> bool:
        return request.path.startswith("/api/") and request.headers.get("Origin", "").lower() in allowed

    app.before_request(preflight)
    app.after_request(answer)
