"""What happened here, and is the record whole?"""

from __future__ import annotations

from explainer.access.permissions import Permission
from explainer.ledger.chain import Verdict
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


def verify_ledger(rooms: Rooms, caller: Caller) -> Verdict:
    """Recompute the whole chain; the verdict names the first bad entry."""
    with recorded(rooms.ledger, caller, "chain:verify") as note:
        rooms.access.require(caller.principal, Permission.CHAIN_VERIFY)
        verdict = rooms.ledger.verify()
        note["ok"] = verdict.ok
        return verdict
