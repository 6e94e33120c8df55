"""Who chooses what a role sees of a model: each change is one ledger entry."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from explainer.access.permissions import Permission
from explainer.disclosure.levels import Policy
from explainer.disclosure.policies import EVERY, Chosen, Hold
from explainer.monitoring.extraction_store import Read
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

MAY = Permission.POLICY_MANAGE


@dataclass(frozen=True, slots=True)
class Shown:
    """The policies that hold, the principals from whom something is held back, and the extraction meter."""

    policies: list[Chosen]
    holds: list[Hold]
    meter: list[Read]


def show_policies(rooms: Rooms, caller: Caller) -> Shown:
    """Those of the caller's models."""
    with recorded(rooms.ledger, caller, "policy:list"):
        rooms.access.require(caller.principal, MAY)
        policies, holds, meter = rooms.policies.all(), rooms.policies.holds(), rooms.extraction.store.all()
        return Shown(
            [p for p in policies if p.model == EVERY or rooms.access.may(caller.principal, MAY, p.model)],
            [h for h in holds if rooms.access.may(caller.principal, MAY, h.model)],
            [r for r in meter if rooms.access.may(caller.principal, MAY, r.whose.model)],
        )


def set_policy(rooms: Rooms, caller: Caller, role: str, model: str, policy: Policy) -> Chosen:
    """From the next request on a role sees so much of a model, or of every model that has no policy of its own.

    Raises NotPermitted without a grant for the model (for every model: for all), InvalidOption, StorageFailed.
    """
    with recorded(rooms.ledger, caller, "policy:set", role=role[:40], model=model[:80]) as note:
        rooms.access.require(caller.principal, MAY, model)
        note.update(asdict(policy))
        return rooms.policies.set(role, model, policy, caller.principal.id)


def reset_policy(rooms: Rooms, caller: Caller, role: str, model: str) -> None:
    """Raises NotFound where none was chosen."""
    with recorded(rooms.ledger, caller, "policy:reset", role=role[:40], model=model[:80]):
        rooms.access.require(caller.principal, MAY, model)
        rooms.policies.unset(role, model)


def release(rooms: Rooms, caller: Caller, principal: str, model: str) -> None:
    """Let a principal see again what its role sees. Raises NotFound where nothing was held back."""
    with recorded(rooms.ledger, caller, "policy:release", who=principal[:120], model=model[:80]):
        rooms.access.require(caller.principal, MAY, model)
        rooms.policies.release(principal, model)
