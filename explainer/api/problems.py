"""Every error as `application/problem+json` (RFC 9457): a stable code, what to do, and the request's id."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, g
from pydantic import ValidationError

from explainer.errors import BudgetExhausted, ExplainerError, InvalidOption, Problem

MEDIA_TYPE = "application/problem+json"
SOON_S = 1  # when to try again what is refused for now, where nothing better is known


def problem_body(error: ExplainerError) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"urn:explainer:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "request_id": g.request_id,
    }
    if error.problems:
        body["problems"] = [{"where": p.where, "rule": p.rule, "detail": p.detail} for p in error.problems]
    return body


def problem_response(error: ExplainerError) -> Response:
    response = Response(orjson.dumps(problem_body(error)), status=error.status, mimetype=MEDIA_TYPE)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="explainer"'
    if error.retry_after_s is not None or error.status == 503:
        response.headers["Retry-After"] = str(error.retry_after_s or SOON_S)
    if isinstance(error, BudgetExhausted):
        response.headers.update(error.left)
    return response


def documented(document: dict[str, Any]) -> dict[str, Any]:
    """Say of an OpenAPI document's problems that they are `application/problem+json`; returns the document."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                told = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                if told.endswith("/ProblemAnswer"):
                    content[MEDIA_TYPE] = content.pop("application/json")
    return document


def refuse_settings(error: ValidationError) -> None:
    """Turn pydantic's findings into one InvalidOption that names every field."""
    found = error.errors(include_url=False)
    problems = [Problem(_path(e["loc"]), e["type"].replace("_", "-"), _words(e["type"], e["msg"])) for e in found]
    first = problems[0]
    raise InvalidOption(f"{first.where}: {first.detail}", problems=problems)


def _words(kind: str, message: str) -> str:
    return (
        "This is no setting of this request; see /api/docs for those there are."
        if kind == "extra_forbidden"
        else message
    )


def _path(location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.removeprefix(".") or "body"
