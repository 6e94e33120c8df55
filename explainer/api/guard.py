"""Each route states its permission beside itself; here it is asked for, before the body is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import current_app, g, request

from explainer.access.permissions import Permission
from explainer.usecases.admit import Credentials, admit
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

EXTENSION = "explainer"


@dataclass(frozen=True, slots=True)
class House:
    """What the borders reach: the rooms, and which models are being served."""

    rooms: Rooms
    serving: Served


def house() -> House:
    found: House = current_app.extensions[EXTENSION]
    return found


def admit_bearer() -> None:
    """Before each API request: who asks, and may they? Sets `g.caller`."""
    permission = permission_of(request.endpoint)
    if permission is not None:
        rooms = house().rooms
        with rooms.meters.stage("admit"):
            admitted = admit(rooms, Credentials(bearer=bearer_token()), permission, g.request_id, "api")
        g.caller = replace(admitted, client=request.environ.get("gunicorn.socket"))


def permission_of(endpoint: str | None) -> Permission | None:
    """None only where no route matched; a matched route without a permission is a programming error."""
    if endpoint is None:
        return None
    permission: Permission = current_app.view_functions[endpoint].permission  # type: ignore[union-attr]
    return permission


def bearer_token() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def caller() -> Caller:
    found: Caller = g.caller
    return found
