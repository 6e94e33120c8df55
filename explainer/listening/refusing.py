"""Refusals that need no thread: a problem document, as the app would write it, in bytes."""

from __future__ import annotations

import uuid
from email.utils import formatdate
from http import HTTPStatus

import orjson
from gunicorn.http import errors as parser

from explainer.errors import ExplainerError, HeadTooLarge, MalformedRequest, Overloaded

RETRY_S = 1


class Crowded(Overloaded):
    """More requests at once than this process takes."""

    title = "Too many requests at once"


class Unfinished(ExplainerError):
    code, status, title = "internal", 500, "The service failed"


def answer(error: ExplainerError, *, close: bool) -> bytes:
    """The whole HTTP/1.1 response."""
    request_id = uuid.uuid4().hex
    body = orjson.dumps(
        {
            "type": f"urn:explainer:problem:{error.code}",
            "title": error.title,
            "status": error.status,
            "code": error.code,
            "detail": error.detail,
            "request_id": request_id,
        }
    )
    head = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Connection: {'close' if close else 'keep-alive'}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    ]
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        head.append(f"Retry-After: {RETRY_S}")
    return "\r\n".join([*head, "", ""]).encode() + body


def translated(error: Exception) -> ExplainerError:
    """What gunicorn's parser found, as an error of ours; anything else is a fault of the service."""
    if isinstance(error, parser.LimitRequestHeaders | parser.LimitRequestLine):
        return HeadTooLarge(f"The request's head is too large: {error}.")
    if isinstance(error, parser.ParseException):
        return MalformedRequest(f"This is not HTTP/1.1: {str(error)[:200]!a}.")
    return Unfinished("Something went wrong here, not in your request.")
