"""Who chooses how much of a model a principal may ask for: each change is one ledger entry."""

from __future__ import annotations

from dataclasses import asdict

from explainer.access.budgets import EVERY, Granted, Limits
from explainer.access.permissions import Permission
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

MAY = Permission.POLICY_MANAGE


def show_budgets(rooms: Rooms, caller: Caller) -> list[Granted]:
    """Those of the caller's models."""
    with recorded(rooms.ledger, caller, "budget:list"):
        rooms.access.require(caller.principal, MAY)
        return [b for b in rooms.budgets.all() if b.model == EVERY or rooms.access.may(caller.principal, MAY, b.model)]


def set_budget(rooms: Rooms, caller: Caller, whom: str, model: str, limits: Limits) -> Granted:
    """From the next request on a role or a principal may ask for so much.

    Raises NotPermitted without a grant for the model (for every model: for all), InvalidOption, StorageFailed.
    """
    with recorded(rooms.ledger, caller, "budget:set", whom=whom[:120], model=model[:80]) as note:
        rooms.access.require(caller.principal, MAY, model)
        note.update({name: value for name, value in asdict(limits).items() if value is not None})
        return rooms.budgets.set(whom, model, limits, caller.principal.id)


def reset_budget(rooms: Rooms, caller: Caller, whom: str, model: str) -> None:
    """Raises NotFound where none was set."""
    with recorded(rooms.ledger, caller, "budget:reset", whom=whom[:120], model=model[:80]):
        rooms.access.require(caller.principal, MAY, model)
        rooms.budgets.unset(whom, model)
