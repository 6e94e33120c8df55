"""The request bodies and answers of people and keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

ModelGrant = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,62})$")]
Models = Annotated[list[ModelGrant], Field(max_length=1000, description="Names of models, or `*` for all")]
Role = Annotated[str, Field(max_length=32, description="A role, see docs/reference/access.md")]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class KeyPath(BaseModel):
    id: Annotated[str, Field(pattern=r"^[a-z2-7]{8}$", description="A key's id: the part of it that may be shown")]


class PersonPath(BaseModel):
    id: Annotated[str, Field(pattern=r"^usr_[0-9a-f]{16}$", description="A person's id")]


class KeyBody(Strict):
    name: Annotated[Name, Field(description="What uses the key")]
    role: Role = "application"
    models: Models = ["*"]
    scopes: list[str] | None = Field(
        None, max_length=100, description="Only these permissions of the role; null for all"
    )
    days: int | None = Field(365, ge=1, le=3650, description="Until it expires; null for never")


class RotateBody(Strict):
    overlap_hours: int = Field(24, ge=0, le=720, description="How long the old key works on")


class PersonBody(Strict):
    name: Name
    role: Role
    models: Models = ["*"]


class RoleBody(Strict):
    role: Role
    models: Models = ["*"]


class StateBody(Strict):
    disabled: bool


class DoneAnswer(BaseModel):
    request_id: str


class KeyItem(BaseModel):
    """A key without its secret; `program` is the id of the first key that this one goes back to by rotation."""

    id: str
    name: str
    role: str
    models: list[str]
    scopes: list[str] | None
    program: str
    replaces: str | None
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class KeyAnswer(DoneAnswer):
    key: KeyItem


class KeysAnswer(DoneAnswer):
    keys: list[KeyItem]


class IssuedAnswer(KeyAnswer):
    secret: Annotated[str, Field(description="The key itself, shown this once")]


class PersonItem(BaseModel):
    """`subject` says whether an identity provider signs the person in."""

    id: str
    name: str
    role: str
    models: list[str]
    disabled: bool
    created_at: str
    subject: bool


class PeopleAnswer(DoneAnswer):
    people: list[PersonItem]


class PersonAnswer(DoneAnswer):
    person: PersonItem
    second_factors: dict[str, Any]
    sessions: list[dict[str, Any]]


class InvitedAnswer(DoneAnswer):
    link: Annotated[str, Field(description="Good once within 24 hours, shown this once")]
    person: PersonItem | None = None
