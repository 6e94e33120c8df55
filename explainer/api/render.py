"""Records as the JSON that the outside is promised."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
from flask import Response, g

from explainer.records import Feature, ModelVersion, Receipt
from explainer.usecases.models import ModelPage


def json_response(body: dict[str, Any], status: int = 200) -> Response:
    return Response(
        orjson.dumps(body), status=status, mimetype="application/json", headers={"Cache-Control": "private, no-store"}
    )


def answer(version: ModelVersion, **fields: Any) -> Response:
    return json_response({"model": model_ref(version), "request_id": g.request_id, **fields})


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
        "decision": None if decision is None else dataclasses.asdict(decision),
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
