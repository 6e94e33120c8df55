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
    """503 with the reasons while no model answers; one that is out of service is named beside the others."""
    at = house()
    if reasons := at.serving.unready():
        raise NotReady("; ".join(reasons))
    broken = at.serving.out_of_service()
    served = len(at.rooms.registry.names()) - len(broken)
    return json_response({"status": "ready", "models": served, "out_of_service": broken})
