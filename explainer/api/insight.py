"""Routes beyond one number: which features act together, and which matter over many rows."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from explainer.access.permissions import Permission
from explainer.api import answers
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.render import answer
from explainer.api.requests import ImportanceBody, InteractBody, ModelPath, SettingsBody, VersionPath
from explainer.usecases.admit import needs
from explainer.usecases.explain import ExplainAsk
from explainer.usecases.importance import importance
from explainer.usecases.interact import interact

blueprint = APIBlueprint(
    "insight",
    __name__,
    url_prefix="/api/v1/models",
    abp_tags=[Tag(name="insight", description="Interactions of features, and their importance over rows")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)


@blueprint.post("/<name>/interactions", responses={200: answers.InteractAnswer}, summary="Which features act together")
@needs(Permission.EXPLANATION_CREATE)
def interact_current(path: ModelPath, body: InteractBody) -> Response:
    return _interact(path.name, None, body)


@blueprint.post(
    "/<name>/versions/<version>/interactions",
    responses={200: answers.InteractAnswer},
    summary="Which features act together, pinned",
)
@needs(Permission.EXPLANATION_CREATE)
def interact_version(path: VersionPath, body: InteractBody) -> Response:
    return _interact(path.name, path.version, body)


@blueprint.post(
    "/<name>/importance", responses={200: answers.ImportanceAnswer}, summary="Which features matter over many rows"
)
@needs(Permission.EXPLANATION_CREATE)
def importance_current(path: ModelPath, body: ImportanceBody) -> Response:
    return _importance(path.name, None, body)


@blueprint.post(
    "/<name>/versions/<version>/importance",
    responses={200: answers.ImportanceAnswer},
    summary="Which features matter over many rows, pinned",
)
@needs(Permission.EXPLANATION_CREATE)
def importance_version(path: VersionPath, body: ImportanceBody) -> Response:
    return _importance(path.name, path.version, body)


def _interact(name: str, version: str | None, body: InteractBody) -> Response:
    at = house()
    found = interact(at.rooms, at.serving, caller(), _ask(name, version, body))
    return answer(found.version, interactions=found.items)


def _importance(name: str, version: str | None, body: ImportanceBody) -> Response:
    at = house()
    found = importance(at.rooms, at.serving, caller(), _ask(name, version, body), points=body.points)
    return answer(found.version, importance=found.items)


def _ask(name: str, version: str | None, body: SettingsBody) -> ExplainAsk:
    return ExplainAsk(name, body.instances, body.options(), version, body.background_rows())
