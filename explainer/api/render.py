"""Records as the JSON that the outside is promised."""

from __future__ import annotations

import dataclasses
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, g, request

from explainer.access.budgets import header_fields
from explainer.records import DecisionSpec, Feature, ModelVersion, Receipt
from explainer.usecases.models import ModelPage

NOT_STORED = {"Cache-Control": "private, no-store"}


def json_response(body: dict[str, Any], status: int = 200) -> Response:
    return json_bytes(orjson.dumps(body), status)


def json_bytes(body: bytes, status: int = 200) -> Response:
    left = g.caller.left if "caller" in g else []
    fields = NOT_STORED | (header_fields(left[-1]) if left else {})
    return Response(body, status=status, mimetype="application/json", headers=fields)


def tagged_response(**fields: Any) -> Response:
    """An answer that changes only when the fields do, told by a tag: whoever has it already is answered 304."""
    content = orjson.dumps(fields)
    return tagged(b'{"request_id":' + orjson.dumps(g.request_id) + b"," + content[1:], content, weak=True)


def tagged(body: bytes, content: bytes, *, weak: bool = False) -> Response:
    """A JSON `body` with the tag of `content`; weak where the body has more in it, the request's id."""
    tag = blake2b(content, digest_size=16).hexdigest()
    known = request.if_none_match.contains_weak(tag)
    response = Response(status=HTTPStatus.NOT_MODIFIED) if known else json_bytes(body)
    response.set_etag(tag, weak=weak)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def answer(version: ModelVersion, **fields: Any) -> Response:
    return answer_of(*answer_parts(version, **fields))


def answer_parts(version: ModelVersion, **fields: Any) -> tuple[bytes, bytes]:
    """The bytes of an answer before and behind the id of the request that it answers."""
    return b'{"model":' + orjson.dumps(model_ref(version)) + b',"request_id":', b"," + orjson.dumps(fields)[1:]


def answer_of(before: bytes, after: bytes) -> Response:
    return json_bytes(before + orjson.dumps(g.request_id) + after)


def model_ref(version: ModelVersion) -> dict[str, str]:
    return {"name": version.manifest.name, "version": version.manifest.version, "digest": version.digest}


def model_line(version: ModelVersion) -> dict[str, Any]:
    m = version.manifest
    return {
        **model_ref(version),
        "task": m.task,
        "format": m.format,
        "classes": list(m.classes),
        "output": m.output,
        "purpose": m.card.purpose,
        "registered_at": version.registered_at,
        "retired_at": version.retired_at,
    }


def model_page(page: ModelPage) -> dict[str, Any]:
    m = page.version.manifest
    background, card, decision = m.background, m.card, m.decision
    return {
        **model_line(page.version),
        "positive_class": m.positive_class,
        "versions": [model_line(v) for v in page.versions],
        "schema": [_feature(f) for f in m.features],
        "background": {"rows": background.rows, "digest": background.sha256, "description": background.description},
        "decision": None if decision is None else _decision(decision),
        "card": {
            "owner": card.owner,
            "purpose": card.purpose,
            "trained_on": card.trained_on,
            "license": card.license,
            "text": page.card,
        },
        "made_with": {"library": m.golden.library, "version": m.golden.version},
        "notices": [dataclasses.asdict(n) for n in page.version.notices],
    }


def _decision(decision: DecisionSpec) -> dict[str, Any]:
    return {**dataclasses.asdict(decision), "verdict_reasons": list(decision.verdict_reasons)}


def _feature(f: Feature) -> dict[str, Any]:
    return {
        "name": f.name,
        "type": f.type,
        "categories": list(f.categories),
        "min": f.min,
        "max": f.max,
        "nullable": f.nullable,
        "description": f.description,
        "protected": f.protected,
        "mutable": f.mutable,
        "changes": f.changes,
        "step": f.step,
        "group": f.group,
        "reason": None if f.reason is None else {"increases": f.reason.increases, "decreases": f.reason.decreases},
    }


def receipt_line(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.id,
        "created_at": receipt.created_at,
        "model": {"name": receipt.model, "version": receipt.version, "digest": receipt.model_digest},
        "answer_sha256": receipt.answer_sha256,
    }
