"""Routes of the ledger: is the record whole?"""

from __future__ import annotations

import dataclasses

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from explainer.access.permissions import Permission
from explainer.api import answers
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.render import json_response
from explainer.usecases.admit import needs
from explainer.usecases.ledger import verify_ledger

blueprint = APIBlueprint(
    "ledger",
    __name__,
    url_prefix="/api/v1/ledger",
    abp_tags=[Tag(name="ledger", description="The record of every request and change")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)


@blueprint.get("/verify", responses={200: answers.VerifyAnswer}, summary="Recompute the chain")
@needs(Permission.CHAIN_VERIFY)
def verify() -> Response:
    return json_response({"request_id": g.request_id, **dataclasses.asdict(verify_ledger(house().rooms, caller()))})
