"""Routes of receipts: what was answered, and the same answer again."""

from __future__ import annotations

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from explainer.access.permissions import Permission
from explainer.api import answers
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.render import json_response, receipt_line
from explainer.api.requests import ReceiptPath
from explainer.usecases.admit import needs
from explainer.usecases.receipts import replay_receipt, show_receipt

blueprint = APIBlueprint(
    "receipts",
    __name__,
    url_prefix="/api/v1/receipts",
    abp_tags=[Tag(name="receipts", description="What was answered, and the same answer again")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)


@blueprint.get("/<id>", responses={200: answers.ReceiptAnswer}, summary="What was answered")
@needs(Permission.RECEIPT_READ)
def show(path: ReceiptPath) -> Response:
    shown = show_receipt(house().rooms, caller(), path.id)
    return json_response(
        {"request_id": g.request_id, "receipt": {**receipt_line(shown.receipt), "explanations": shown.items}}
    )


@blueprint.post("/<id>/replay", responses={200: answers.ReplayAnswer}, summary="Compute the answer again and compare")
@needs(Permission.RECEIPT_REPLAY)
def replay(path: ReceiptPath) -> Response:
    at = house()
    done = replay_receipt(at.rooms, at.serving, caller(), path.id)
    return json_response(
        {
            "request_id": g.request_id,
            "receipt": done.receipt.id,
            "identical": done.identical,
            "largest_difference": done.largest_difference,
        }
    )
