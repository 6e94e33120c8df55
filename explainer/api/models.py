"""Routes of models: list, card, predict, explain, compare; each also with a pinned version."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Any

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from explainer.access.permissions import Permission
from explainer.api import answers
from explainer.api.export_lines import accepted
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.quick import REPEATABLE
from explainer.api.render import answer, answer_of, answer_parts, model_line, model_page, tagged_response
from explainer.api.requests import ExplainBody, ModelPath, PredictBody, VersionPath
from explainer.registry.approval import pending
from explainer.usecases.admit import needs
from explainer.usecases.again import repeatable
from explainer.usecases.approve import MAY_APPROVE, ApprovalAsk, approve
from explainer.usecases.compare import compare
from explainer.usecases.explain import ExplainAsk, explain
from explainer.usecases.exports import submit_explain
from explainer.usecases.models import list_models, show_model
from explainer.usecases.predict import predict

PROBLEM: dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None] = {
    status: answers.ProblemAnswer for status in (400, 401, 403, 404, 413, 415, 422, 429, 502, 503, 504)
}


class ApprovalBody(BaseModel):
    """Why each finding that blocks the version is acceptable."""

    model_config = ConfigDict(extra="forbid")

    accept: dict[str, str] = Field(
        default={}, description="A reason of 10 to 500 letters for each finding, by its code"
    )


blueprint = APIBlueprint(
    "models",
    __name__,
    url_prefix="/api/v1/models",
    abp_tags=[Tag(name="models", description="Registered models and their explanations")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)


@blueprint.get("", responses={200: answers.ModelsAnswer}, summary="Registered models")
@needs(Permission.CARD_READ)
def list_all() -> Response:
    found = list_models(house().rooms, caller())
    return tagged_response(models=[{**model_line(v), "pending": pending(v)} for v in found])


@blueprint.get("/<name>", responses={200: answers.ModelAnswer}, summary="A model's schema, background and card")
@needs(Permission.CARD_READ)
def show(path: ModelPath) -> Response:
    return _show(path.name, None)


@blueprint.get("/<name>/versions/<version>", responses={200: answers.ModelAnswer}, summary="One version of a model")
@needs(Permission.CARD_READ)
def show_version(path: VersionPath) -> Response:
    return _show(path.name, path.version)


@blueprint.post(
    "/<name>/versions/<version>/approve", responses={200: answers.ModelAnswer}, summary="Let a version into service"
)
@needs(MAY_APPROVE)
def approve_version(path: VersionPath, body: ApprovalBody) -> Response:
    version = approve(house().rooms, caller(), ApprovalAsk(path.name, path.version, body.accept))
    return tagged_response(model={**model_line(version), "pending": pending(version)})


@blueprint.post("/<name>/predict", responses={200: answers.PredictAnswer}, summary="Predict rows")
@needs(Permission.PREDICTION_CREATE)
def predict_current(path: ModelPath, body: PredictBody) -> Response:
    return _predict(path.name, None, body)


@blueprint.post(
    "/<name>/versions/<version>/predict", responses={200: answers.PredictAnswer}, summary="Predict rows, pinned"
)
@needs(Permission.PREDICTION_CREATE)
def predict_version(path: VersionPath, body: PredictBody) -> Response:
    return _predict(path.name, path.version, body)


@blueprint.post("/<name>/explain", responses={200: answers.ExplainAnswer}, summary="Explain rows")
@needs(Permission.EXPLANATION_CREATE)
def explain_current(path: ModelPath, body: ExplainBody) -> Response:
    return _explain(path.name, None, body)


@blueprint.post(
    "/<name>/versions/<version>/explain", responses={200: answers.ExplainAnswer}, summary="Explain rows, pinned"
)
@needs(Permission.EXPLANATION_CREATE)
def explain_version(path: VersionPath, body: ExplainBody) -> Response:
    return _explain(path.name, path.version, body)


@blueprint.post("/<name>/compare", responses={200: answers.CompareAnswer}, summary="SHAP and LIME side by side")
@needs(Permission.EXPLANATION_CREATE)
def compare_current(path: ModelPath, body: ExplainBody) -> Response:
    return _compare(path.name, None, body)


@blueprint.post(
    "/<name>/versions/<version>/compare", responses={200: answers.CompareAnswer}, summary="SHAP and LIME, pinned"
)
@needs(Permission.EXPLANATION_CREATE)
def compare_version(path: VersionPath, body: ExplainBody) -> Response:
    return _compare(path.name, path.version, body)


def _show(name: str, version: str | None) -> Response:
    page = show_model(house().rooms, caller(), name, version)
    return tagged_response(model={**model_page(page), "pending": pending(page.version)})


def _predict(name: str, version: str | None, body: PredictBody) -> Response:
    at = house()
    predicted = predict(at.rooms, at.serving, caller(), name, version, body.instances)
    return answer(predicted.version, predictions=predicted.items)


def _ask(name: str, version: str | None, body: ExplainBody) -> ExplainAsk:
    return ExplainAsk(name, body.instances, body.options(), version, body.background_rows(), body.subject)


def _explain(name: str, version: str | None, body: ExplainBody) -> Response:
    at = house()
    # Exports keep no receipts, so what is said to be about a person is answered at once.
    if len(body.instances) > at.rooms.settings.export_above_rows and body.subject is None:
        ask = _ask(name, version, body)
        return accepted(submit_explain(at.rooms, caller(), ask, request.headers.get("Idempotency-Key")))
    explained = explain(at.rooms, at.serving, caller(), _ask(name, version, body))
    parts = answer_parts(explained.version, explanations=explained.items)
    request.environ[REPEATABLE] = repeatable(caller(), explained, parts)
    return answer_of(*parts)


def _compare(name: str, version: str | None, body: ExplainBody) -> Response:
    at = house()
    compared = compare(at.rooms, at.serving, caller(), _ask(name, version, body))
    rows = [item["row"] for item in compared.shap.items]
    return answer(
        compared.shap.version,
        shap=compared.shap.items,
        lime=compared.lime.items,
        agreement=[{"row": r, **dataclasses.asdict(a)} for r, a in zip(rows, compared.agreements, strict=False)],
    )
