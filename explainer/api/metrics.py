"""The numbers that Prometheus reads."""

from __future__ import annotations

from flask import Blueprint, Response

from explainer.access.permissions import Permission
from explainer.api.guard import admit_bearer, caller, house
from explainer.monitoring.page import CONTENT_TYPE
from explainer.usecases.admit import needs
from explainer.usecases.metrics import read_metrics

blueprint = Blueprint("metrics", __name__)
blueprint.before_request(admit_bearer)


@blueprint.get("/metrics")
@needs(Permission.METRICS_READ)
def metrics() -> Response:
    at = house()
    text = read_metrics(at.rooms, at.serving, caller())
    return Response(text, content_type=CONTENT_TYPE, headers={"Cache-Control": "private, no-store"})
