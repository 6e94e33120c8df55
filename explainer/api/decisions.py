"""Routes of decision review: decisions come in, are listed and read, and people answer for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, g, url_for
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from explainer.access.permissions import Permission
from explainer.api import decision_bodies as bodies
from explainer.api.decision_lines import case_line, decision_line, verdict_line
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.render import json_response
from explainer.reviews.rules import Wish
from explainer.reviews.wanted import Wanted
from explainer.usecases import cases, notices, verdicts
from explainer.usecases.admit import needs
from explainer.usecases.decisions import DecisionAsk, bring

blueprint = APIBlueprint(
    "decisions",
    __name__,
    url_prefix="/api/v1/decisions",
    abp_tags=[Tag(name="decisions", description="Decisions that people review, their verdicts and notices")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)

Answers = dict[str | int | HTTPStatus, Any]
ONE: Answers = {200: bodies.DecisionAnswer}


@blueprint.post("", responses={201: bodies.DecisionAnswer}, summary="Bring a decision to be reviewed")
@needs(Permission.DECISION_CREATE)
def create(body: bodies.DecisionBody) -> Response:
    at = house()
    found = bring(at.rooms, at.serving, caller(), DecisionAsk(**body.model_dump()))
    answer = _told(HTTPStatus.CREATED, decision=decision_line(*found))
    answer.headers["Location"] = url_for("decisions.show", id=found[0].facts.id)
    return answer


@blueprint.get("", responses={200: bodies.QueueAnswer}, summary="The queue: what waits, what is decided")
@needs(Permission.DECISION_READ)
def listing(query: bodies.DecisionQuery) -> Response:
    given = query.model_dump(exclude={"external_id"})
    found = cases.queue(house().rooms, caller(), Wanted(**given), query.external_id)
    lines = [
        decision_line(case, found.policies[case.facts.model], hidden)
        for case, hidden in zip(found.cases, found.hidden, strict=True)
    ]
    return _told(decisions=lines, count=found.count, flags=found.tallies)


@blueprint.get("/<id>", responses={200: bodies.CaseAnswer}, summary="One decision, with all that is known of it")
@needs(Permission.DECISION_READ)
def show(path: bodies.DecisionPath) -> Response:
    return _told(**case_line(cases.open_case(house().rooms, caller(), path.id)))


@blueprint.post(
    "/<id>/verdict", responses={200: bodies.VerdictAnswer}, summary="Uphold, override, refer, ask, confirm, withdraw"
)
@needs(Permission.VERDICT_CREATE)
def give_verdict(path: bodies.DecisionPath, body: bodies.VerdictBody) -> Response:
    at = house()
    _, verdict = verdicts.enter(at.rooms, caller(), path.id, Wish(**body.model_dump()))
    found = cases.after_entry(at.rooms, caller(), path.id)
    return _told(decision=decision_line(*found), verdict=verdict_line(verdict))


@blueprint.post("/<id>/assignment", responses=ONE, summary="Give a decision to a person, or to nobody")
@needs(Permission.DECISION_ASSIGN)
def give_to(path: bodies.DecisionPath, body: bodies.AssignBody) -> Response:
    at = house()
    cases.assign(at.rooms, caller(), path.id, body.assignee)
    return _told(decision=decision_line(*cases.after_entry(at.rooms, caller(), path.id)))


@blueprint.get(
    "/<id>/notice",
    responses={200: bodies.NoticeAnswer},
    summary="The notice to whom it concerns: reasons, data used, how to contest",
)
@needs(Permission.NOTICE_READ)
def notice(path: bodies.DecisionPath, query: bodies.NoticeQuery) -> Response:
    wish = notices.NoticeWish(query.language, query.jurisdiction, query.packet, query.format)
    made = notices.notice(house().rooms, caller(), path.id, wish)
    if query.format == "json":
        return _told(notice=made.plain)
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, mimetype=made.media_type, headers=headers)


def _told(status: int = 200, **what: Any) -> Response:
    return json_response({"request_id": g.request_id, **what}, status)
