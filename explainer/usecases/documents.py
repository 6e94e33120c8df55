"""How is this service spoken to? Its own description, read by whoever may see a model's card."""

from __future__ import annotations

from explainer.access.permissions import Permission
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


def read_document(rooms: Rooms, caller: Caller, name: str) -> None:
    """Let the caller read the document of that name, and write it down."""
    with recorded(rooms.ledger, caller, "document:read", document=name):
        rooms.access.require(caller.principal, Permission.CARD_READ)
