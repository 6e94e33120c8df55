"""Who is at the door? A key or a session becomes a caller, or the request is turned away and that is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from explainer.access.permissions import Permission
from explainer.errors import ExplainerError, NotAuthenticated
from explainer.records import Principal
from explainer.usecases.recording import record_refusal, recorded
from explainer.usecases.rooms import Caller, Rooms

View = TypeVar("View", bound=Callable[..., Any])
ANONYMOUS = Principal(id="anonymous", kind="anonymous", role="none", models=())


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with the request: a bearer token (API key), or the token of a session cookie."""

    bearer: str | None = None
    session: str | None = None


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
        raise
    return caller


def _principal(rooms: Rooms, credentials: Credentials) -> Principal:
    if credentials.bearer is not None:
        return rooms.access.principal_of_bearer(credentials.bearer)
    if credentials.session is not None:
        return rooms.access.principal_of_session(credentials.session)
    raise NotAuthenticated("Send `Authorization: Bearer <API key>`, or sign in.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class SignInAsk:
    """`previous` is the token of the session that the new one takes the place of."""

    name: str
    password: str
    address: str
    previous: str | None = None


def sign_in(rooms: Rooms, request_id: str, ask: SignInAsk) -> SignedIn:
    """Start a session for a person; raises NotAuthenticated, after one ledger entry."""
    caller = Caller(ANONYMOUS, request_id, "page")
    with recorded(rooms.ledger, caller, "session:create") as note:
        session = rooms.access.sign_in(ask.name, ask.password, ask.address, previous=ask.previous)
        principal = rooms.access.principal_of_session(session)
        note["person"] = principal.id
        return SignedIn(session, principal)


def sign_out(rooms: Rooms, caller: Caller, token: str) -> None:
    """End the session."""
    with recorded(rooms.ledger, caller, "session:end"):
        rooms.access.sign_out(token)
