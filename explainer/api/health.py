"""Does the process live, and can it answer?"""

from __future__ import annotations

from flask import Blueprint, Response

from explainer.api.guard import house
from explainer.api.render import json_response
from explainer.errors import NotReady

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    return json_response({"status": "alive"})


@blueprint.get("/readyz")
def ready() -> Response:
    """503 with the reasons while some current model version cannot be answered for."""
    if reasons := house().serving.unready():
        raise NotReady("; ".join(reasons))
    return json_response({"status": "ready"})
