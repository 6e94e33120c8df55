"""Routes of the ledger: is the record whole, and what proves it to somebody else?"""

from __future__ import annotations

import dataclasses
from typing import Annotated

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from explainer.access.permissions import Permission
from explainer.api import answers
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.render import json_response
from explainer.usecases.admit import needs
from explainer.usecases.ledger import prove_beginning, prove_entry, sign_checkpoint, verify_ledger

Count = Annotated[int, Field(ge=1, lt=2**53)]


class EntryPath(BaseModel):
    number: Annotated[int, Field(ge=1, lt=2**53, description="An entry's number")]


class TreeQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: Count | None = Field(None, description="In the tree of how many entries; default: of all")


class BeginningQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    first: Count = Field(description="Size of the earlier tree")
    second: Count | None = Field(None, description="Size of the later tree; default: of all entries")


class CheckpointAnswer(BaseModel):
    """`note` is the signed checkpoint; the other fields are its parts, and the key that checks it."""

    request_id: str
    note: str
    origin: str
    size: int
    root: str
    key: str


class InclusionAnswer(BaseModel):
    """Hashes in hexadecimal; `written` are the entry's bytes, over which the leaf is computed."""

    request_id: str
    number: int
    index: int
    size: int
    written: str
    leaf: str
    root: str
    path: list[str]


class ConsistencyAnswer(BaseModel):
    """Hashes in hexadecimal."""

    request_id: str
    first: int
    second: int
    first_root: str
    second_root: str
    path: list[str]


blueprint = APIBlueprint(
    "ledger",
    __name__,
    url_prefix="/api/v1/ledger",
    abp_tags=[Tag(name="ledger", description="The record of every request and change")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)


@blueprint.get("/verify", responses={200: answers.VerifyAnswer}, summary="Recompute chain and tree")
@needs(Permission.CHAIN_VERIFY)
def verify() -> Response:
    return _answer(verify_ledger(house().rooms, caller()))


@blueprint.get("/checkpoint", responses={200: CheckpointAnswer}, summary="Size and root of the tree, signed")
@needs(Permission.CHAIN_VERIFY)
def checkpoint() -> Response:
    return _answer(sign_checkpoint(house().rooms, caller()))


@blueprint.get("/entries/<number>/proof", responses={200: InclusionAnswer}, summary="An entry, and that it is there")
@needs(Permission.ENTRY_READ)
def entry_proof(path: EntryPath, query: TreeQuery) -> Response:
    return _answer(prove_entry(house().rooms, caller(), path.number, query.size))


@blueprint.get("/consistency", responses={200: ConsistencyAnswer}, summary="That nothing earlier was changed")
@needs(Permission.CHAIN_VERIFY)
def beginning_proof(query: BeginningQuery) -> Response:
    return _answer(prove_beginning(house().rooms, caller(), query.first, query.second))


def _answer(found: object) -> Response:
    return json_response({"request_id": g.request_id, **dataclasses.asdict(found)})  # type: ignore[call-overload]
