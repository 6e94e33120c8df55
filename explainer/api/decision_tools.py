"""Routes that ask about one decision: other values, what would change the outcome, and cases that are like it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, g
from pydantic import BaseModel, Field

from explainer.access.permissions import Permission
from explainer.api.decision_bodies import DecisionPath, Strict
from explainer.api.decisions import blueprint
from explainer.api.guard import caller, house
from explainer.api.render import json_response
from explainer.disclosure.policy import disclose
from explainer.usecases.admit import needs
from explainer.usecases.case_tools import alike, look_for_changes, try_values


class WhatIfBody(Strict):
    values: dict[str, Any] = Field(description="Other values, by feature name; what is left out stays as it is")


class WhatIfAnswer(BaseModel):
    request_id: str
    changed: list[str]
    score: float
    outcome: str | None
    explanation: dict[str, Any]


class ChangesAnswer(BaseModel):
    request_id: str
    answers: list[dict[str, Any]]
    evaluations: int
    exhaustive: list[bool]
    fixed: list[str]
    told: str


class SimilarAnswer(BaseModel):
    request_id: str
    background: dict[str, Any]
    past: list[dict[str, Any]] | None
    looked: int


@blueprint.post("/<id>/what-if", responses={200: WhatIfAnswer}, summary="The answer for other values; nothing is kept")
@needs(Permission.DECISION_READ)
def what_if(path: DecisionPath, body: WhatIfBody) -> Response:
    at = house()
    found = try_values(at.rooms, at.serving, caller(), path.id, lambda _: body.values).answer
    features = found.version.manifest.features
    return _told(
        changed=list(found.changed),
        score=found.score,
        outcome=found.outcome,
        explanation=disclose(found.explanation, features, list(found.values.values()), caller().principal.role, None),
    )


@blueprint.post("/<id>/changes", responses={200: ChangesAnswer}, summary="What would change the outcome")
@needs(Permission.DECISION_READ)
def changes(path: DecisionPath) -> Response:
    at = house()
    found = look_for_changes(at.rooms, at.serving, caller(), path.id)
    return _told(
        answers=[
            {
                "changes": [asdict(change) for change in answer.changes],
                "score": answer.score,
                "distance": answer.distance,
                "minimal": answer.minimal,
            }
            for answer in found.answers
        ],
        evaluations=found.evaluations,
        exhaustive=list(found.exhaustive),
        fixed=list(found.fixed),
        told=found.told,
    )


@blueprint.get("/<id>/similar", responses={200: SimilarAnswer}, summary="The background as a group, and past decisions")
@needs(Permission.DECISION_READ)
def similar(path: DecisionPath) -> Response:
    at = house()
    found = alike(at.rooms, at.serving, caller(), path.id)
    past = None
    if found.past is not None:
        past = [
            {
                "decision": one.case.facts.id,
                "outcome": one.case.facts.outcome,
                "status": one.case.state.status,
                "final_outcome": one.final,
                "distance": one.distance,
                "differences": [asdict(d) for d in one.differences],
            }
            for one in found.past
        ]
    return _told(background=asdict(found.background), past=past, looked=found.looked)


def _told(**what: Any) -> Response:
    return json_response({"request_id": g.request_id, **what})
