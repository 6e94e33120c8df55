"""Routes of policies and budgets: what a role sees of a model, and how much of it principals may ask for."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Annotated, Any, Literal

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from explainer.access.budgets import Limits
from explainer.access.permissions import Permission
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.render import json_response
from explainer.disclosure.levels import Policy
from explainer.usecases import budgets, disclosing
from explainer.usecases.admit import needs

blueprint = APIBlueprint(
    "limits",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="limits", description="What roles see, and how much they may ask for")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)

ModelName = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,62})$", description="A model, or * for every one")]
Whom = Annotated[str, Field(min_length=1, max_length=120, description="A role, or a principal such as key_abcd2345")]
Amount = Annotated[int | None, Field(ge=0, lt=2**53, description="At most so many; null for no bound")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class RoleOfModel(Strict):
    role: Annotated[str, Field(max_length=32, description="A role")]
    model: ModelName = "*"


class PolicyBody(RoleOfModel):
    detail: Literal["full", "rounded", "reasons", "texts"] = Field(
        "full", description="Every digit, two digits, leading features in order, or the owner's words alone"
    )
    most: int | None = Field(None, ge=1, le=10_000, description="At most so many leading features; null for all")
    values: bool = Field(True, description="Whether the row's values are shown")
    prediction: Literal["full", "rounded", "none"] = Field("full", description="Every digit, two, or the decision only")


class ReleaseBody(Strict):
    principal: Whom
    model: ModelName


class BudgetOf(Strict):
    whom: Whom
    model: ModelName = "*"


class BudgetBody(BudgetOf):
    """At most so many rows, distinct rows and evaluations in a minute, a day, and on one version."""

    rows_minute: Amount = None
    rows_day: Amount = None
    rows_version: Amount = None
    distinct_minute: Amount = None
    distinct_day: Amount = None
    distinct_version: Amount = None
    evaluations_minute: Amount = None
    evaluations_day: Amount = None
    evaluations_version: Amount = None


class PolicyItem(BaseModel):
    role: str
    model: str
    policy: dict[str, Any]
    changed_at: str
    changed_by: str


class PoliciesAnswer(BaseModel):
    request_id: str
    policies: list[PolicyItem]
    held_back: list[dict[str, Any]]
    extraction: list[dict[str, Any]]


class PolicyAnswer(BaseModel):
    request_id: str
    policy: PolicyItem


class BudgetItem(BaseModel):
    whom: str
    model: str
    limits: dict[str, int | None]
    changed_at: str
    changed_by: str


class BudgetsAnswer(BaseModel):
    request_id: str
    budgets: list[BudgetItem]


class BudgetAnswer(BaseModel):
    request_id: str
    budget: BudgetItem


class ResetAnswer(BaseModel):
    request_id: str


OK: dict[str | int | HTTPStatus, Any] = {200: ResetAnswer}


@blueprint.get("/policies", responses={200: PoliciesAnswer}, summary="What each role sees, and what is held back")
@needs(Permission.POLICY_MANAGE)
def list_policies() -> Response:
    found = disclosing.show_policies(house().rooms, caller())
    return _told(
        policies=[dataclasses.asdict(p) for p in found.policies],
        held_back=[dataclasses.asdict(h) for h in found.holds],
        extraction=[
            {**dataclasses.asdict(r.whose), "rows": r.tally.rows, "agreement": r.agreement, "level": r.level}
            for r in found.meter
        ],
    )


@blueprint.put("/policies", responses={200: PolicyAnswer}, summary="Choose what a role sees of a model")
@needs(Permission.POLICY_MANAGE)
def set_policy(body: PolicyBody) -> Response:
    policy = Policy(body.values, body.most, body.detail, body.prediction)
    chosen = disclosing.set_policy(house().rooms, caller(), body.role, body.model, policy)
    return _told(policy=dataclasses.asdict(chosen))


@blueprint.post("/policies/reset", responses=OK, summary="Back to what a role comes with")
@needs(Permission.POLICY_MANAGE)
def reset_policy(body: RoleOfModel) -> Response:
    disclosing.reset_policy(house().rooms, caller(), body.role, body.model)
    return _told()


@blueprint.post("/policies/release", responses=OK, summary="Hold nothing back from a principal any more")
@needs(Permission.POLICY_MANAGE)
def release(body: ReleaseBody) -> Response:
    disclosing.release(house().rooms, caller(), body.principal, body.model)
    return _told()


@blueprint.get("/budgets", responses={200: BudgetsAnswer}, summary="How much may be asked for")
@needs(Permission.POLICY_MANAGE)
def list_budgets() -> Response:
    return _told(budgets=[dataclasses.asdict(b) for b in budgets.show_budgets(house().rooms, caller())])


@blueprint.put("/budgets", responses={200: BudgetAnswer}, summary="Choose how much a role or principal may ask for")
@needs(Permission.POLICY_MANAGE)
def set_budget(body: BudgetBody) -> Response:
    limits = Limits(**body.model_dump(exclude={"whom", "model"}))
    return _told(budget=dataclasses.asdict(budgets.set_budget(house().rooms, caller(), body.whom, body.model, limits)))


@blueprint.post("/budgets/reset", responses=OK, summary="Back to what a role comes with")
@needs(Permission.POLICY_MANAGE)
def reset_budget(body: BudgetOf) -> Response:
    budgets.reset_budget(house().rooms, caller(), body.whom, body.model)
    return _told()


def _told(**what: Any) -> Response:
    return json_response({"request_id": g.request_id, **what})
