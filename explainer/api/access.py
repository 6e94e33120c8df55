"""Routes of people and keys: for administrators, and for a program about its own key."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Any

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from explainer.access.keys import ApiKey
from explainer.access.people import Person
from explainer.access.permissions import Permission
from explainer.api import access_bodies as shapes
from explainer.api import answers
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.render import json_response
from explainer.usecases import keys, people
from explainer.usecases.admit import needs

blueprint = APIBlueprint(
    "access",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="access", description="People and keys")],
    abp_security=[{"key": []}],
    abp_responses={**PROBLEM, HTTPStatus.CONFLICT: answers.ProblemAnswer},
)
blueprint.before_request(admit_bearer)


@blueprint.get("/keys", responses={200: shapes.KeysAnswer}, summary="All keys, without their secrets")
@needs(Permission.KEY_MANAGE)
def list_keys() -> Response:
    found = keys.list_keys(house().rooms, caller())
    return json_response({"request_id": g.request_id, "keys": [_key(key) for key in found]})


@blueprint.post("/keys", responses={201: shapes.IssuedAnswer}, summary="Issue a key")
@needs(Permission.KEY_MANAGE)
def add_key(body: shapes.KeyBody) -> Response:
    scopes = None if body.scopes is None else tuple(body.scopes)
    ask = keys.KeyAsk(body.name, body.role, tuple(body.models), body.days, scopes)
    return _issued(keys.add_key(house().rooms, caller(), ask))


@blueprint.get("/keys/<id>", responses={200: shapes.KeyAnswer}, summary="One's own key, or any for administrators")
@needs(Permission.KEY_ROTATE)
def show_key(path: shapes.KeyPath) -> Response:
    return json_response({"request_id": g.request_id, "key": _key(keys.show_key(house().rooms, caller(), path.id))})


@blueprint.post("/keys/<id>/rotate", responses={201: shapes.IssuedAnswer}, summary="Exchange a key for a new one")
@needs(Permission.KEY_ROTATE)
def rotate_key(path: shapes.KeyPath, body: shapes.RotateBody) -> Response:
    return _issued(keys.rotate_key(house().rooms, caller(), path.id, body.overlap_hours))


@blueprint.delete("/keys/<id>", responses={200: shapes.KeyAnswer}, summary="Revoke a key at once")
@needs(Permission.KEY_MANAGE)
def revoke_key(path: shapes.KeyPath) -> Response:
    return json_response({"request_id": g.request_id, "key": _key(keys.revoke_key(house().rooms, caller(), path.id))})


@blueprint.get("/people", responses={200: shapes.PeopleAnswer}, summary="Everybody who may sign in")
@needs(Permission.USER_MANAGE)
def list_people() -> Response:
    found = people.list_people(house().rooms, caller())
    return json_response({"request_id": g.request_id, "people": [_person(person) for person in found]})


@blueprint.post("/people", responses={201: shapes.InvitedAnswer}, summary="Add a person and get their one-time link")
@needs(Permission.USER_MANAGE)
def add_person(body: shapes.PersonBody) -> Response:
    wish = people.PersonWish(body.name, body.role, tuple(body.models))
    invited = people.invite_person(house().rooms, caller(), wish)
    return _invited({"person": _person(invited.person)}, invited.link)


@blueprint.get("/people/<id>", responses={200: shapes.PersonAnswer}, summary="A person, their factors and sessions")
@needs(Permission.USER_MANAGE)
def show_person(path: shapes.PersonPath) -> Response:
    page = people.show_person(house().rooms, caller(), path.id)
    factors = {
        "totp": page.factors.totp,
        "passkeys": [{"name": p.name, "created_at": p.created_at} for p in page.factors.passkeys],
        "recovery_codes_left": page.factors.codes_left,
    }
    sessions = [dataclasses.asdict(session) for session in page.sessions]
    return _done({"person": _person(page.person), "second_factors": factors, "sessions": sessions})


@blueprint.put("/people/<id>/role", responses={200: shapes.DoneAnswer}, summary="Give another role and other models")
@needs(Permission.USER_MANAGE)
def change_role(path: shapes.PersonPath, body: shapes.RoleBody) -> Response:
    people.change_role(house().rooms, caller(), path.id, body.role, tuple(body.models))
    return _done({})


@blueprint.post(
    "/people/<id>/link", responses={201: shapes.InvitedAnswer}, summary="A one-time link for a new password"
)
@needs(Permission.USER_MANAGE)
def invite_again(path: shapes.PersonPath) -> Response:
    return _invited({}, people.invite_again(house().rooms, caller(), path.id))


@blueprint.put(
    "/people/<id>/state", responses={200: shapes.DoneAnswer}, summary="Keep a person out, or let them in again"
)
@needs(Permission.USER_MANAGE)
def change_state(path: shapes.PersonPath, body: shapes.StateBody) -> Response:
    people.set_state(house().rooms, caller(), path.id, disabled=body.disabled)
    return _done({})


@blueprint.delete("/people/<id>/factors", responses={200: shapes.DoneAnswer}, summary="Take lost second factors away")
@needs(Permission.USER_MANAGE)
def forget_factors(path: shapes.PersonPath) -> Response:
    people.forget_factors(house().rooms, caller(), path.id)
    return _done({})


@blueprint.delete("/people/<id>/sessions", responses={200: shapes.DoneAnswer}, summary="End a person's sessions")
@needs(Permission.SESSION_MANAGE)
def end_sessions(path: shapes.PersonPath) -> Response:
    people.end_sessions(house().rooms, caller(), path.id, None)
    return _done({})


def _done(what: dict[str, Any]) -> Response:
    return json_response({"request_id": g.request_id, **what})


def _issued(issued: keys.Issued) -> Response:
    response = _done({"secret": issued.text, "key": _key(issued.key)})
    response.status_code = HTTPStatus.CREATED
    return response


def _invited(what: dict[str, Any], link: str) -> Response:
    root = house().rooms.settings.public_url.rstrip("/")
    response = _done({**what, "link": f"{root}/invitation/{link}"})
    response.status_code = HTTPStatus.CREATED
    return response


def _key(key: ApiKey) -> dict[str, Any]:
    return dataclasses.asdict(key)


def _person(person: Person) -> dict[str, Any]:
    return {**dataclasses.asdict(person), "subject": person.subject is not None}
