"""Who is at the door? A key, a token or a session becomes a caller, or the request is turned away, written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from explainer.access.permissions import Permission
from explainer.errors import ExplainerError, NotAuthenticated, SecondFactorNeeded
from explainer.records import Principal
from explainer.usecases.recording import record_refusal
from explainer.usecases.rooms import Caller, Rooms

View = TypeVar("View", bound=Callable[..., Any])
ANONYMOUS = Principal(id="anonymous", kind="anonymous", role="none", models=())


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with the request: a bearer token (an API key, or a provider's token), or that of a session cookie.

    `steps` are the steps of a sign-in (`prove`, `set-up`) at which a session is good for this request already.
    """

    bearer: str | None = None
    session: str | None = None
    steps: tuple[str, ...] = ()


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare the permission of a route; a route without one is never answered."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def admit(rooms: Rooms, credentials: Credentials, permission: Permission, request_id: str, door: str) -> Caller:
    """Return the caller; raises NotAuthenticated or NotPermitted, after one ledger entry."""
    caller = Caller(ANONYMOUS, request_id, door)
    try:
        caller = Caller(_principal(rooms, credentials), request_id, door)
        rooms.access.require(caller.principal, permission)
    except ExplainerError as error:
        subject_and_action = permission.value.partition(":")[2]
        record_refusal(rooms.ledger, caller, subject_and_action, error.code)
        error.recorded = True
        raise
    return caller


def _principal(rooms: Rooms, credentials: Credentials) -> Principal:
    if credentials.bearer is not None:
        return rooms.access.principal_of_bearer(credentials.bearer)
    if credentials.session is None:
        raise NotAuthenticated("Send `Authorization: Bearer <API key>`, or sign in.")
    try:
        return rooms.access.principal_of_session(credentials.session)
    except SecondFactorNeeded as error:
        if error.step not in credentials.steps:
            raise
        person = rooms.access.door.visit(credentials.session).person
        return Principal(person.id, "person", person.role, person.name, person.models)
