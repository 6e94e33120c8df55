"""Who may let a version into service, and what is written down of it."""

from __future__ import annotations

import pytest

from explainer.access.permissions import Permission
from explainer.errors import Conflict, NotFound, NotPermitted
from explainer.records import Notice
from explainer.registry.approval import pending
from explainer.usecases.approve import ApprovalAsk, approve, awaited
from explainer.usecases.register import register
from explainer.usecases.rooms import Caller
from explainer.workers.trial import Trial
from tests.house import FakeWorkers, House, build
from tests.registry.folders import REPORT, write_folder

REASON = {"scaffold": "Seen by two people, the data are odd."}
ASK = ApprovalAsk("credit", "1.0", REASON)


class Suspecting(FakeWorkers):
    """Workers whose trial finds a scaffold."""

    def trial(self, order, rows):  # type: ignore[no-untyped-def]
        return Trial(REPORT, (), (Notice("scaffold", "It is another model on perturbed rows."),))


@pytest.fixture
def suspected(house: House) -> House:
    """A house in which an owner has registered a model that was found to be a scaffold."""
    at = house.with_rooms(workers=Suspecting())
    register(at.rooms, at.caller("owner"), write_folder(at.folder / "model"))
    return at


def other(house: House) -> Caller:
    return Caller(house.caller("owner").principal.__class__("key_other", "key", "owner", "other"), "request-2", "api")


def test_a_finding_of_the_trial_keeps_a_version_waiting(suspected: House) -> None:
    """The registration succeeds, says so in its ledger entry, and the version is not served."""
    (entry,) = suspected.entries()
    assert (entry.entry.body["findings"], entry.entry.body["pending"]) == ("scaffold", True)
    with pytest.raises(Conflict, match="waits"):
        suspected.rooms.registry.serve("credit")


def test_who_registered_it_does_not_approve_it(suspected: House) -> None:
    """The same principal is refused with one entry; another owner is not, and the reasons are in the ledger."""
    with pytest.raises(NotPermitted, match="somebody else"):
        approve(suspected.rooms, suspected.caller("owner"), ASK)
    assert not pending(approve(suspected.rooms, other(suspected), ASK))
    refused, answered = [e.entry for e in suspected.entries()[-2:]]
    assert (refused.event, refused.outcome, refused.body["own"]) == ("api:version:approve", "not-permitted", True)
    assert (answered.outcome, answered.body["own"]) == ("answered", False)
    assert answered.body["accepted"] == f"scaffold: {REASON['scaffold']}"


def test_an_administrator_approves_and_cannot_register(suspected: House) -> None:
    """Letting in is a permission of its own: who has it need not be able to bring a model, nor to ask one."""
    with pytest.raises(NotPermitted):
        register(suspected.rooms, suspected.caller("administrator"), write_folder(suspected.folder / "own"))
    assert awaited(
        suspected.rooms, suspected.caller("administrator"), suspected.rooms.registry.get("credit", "1.0")
    ).may
    assert not pending(approve(suspected.rooms, suspected.caller("administrator"), ASK))


def test_a_key_that_registers_need_not_be_able_to_approve(suspected: House) -> None:
    """Scopes part the two: another owner's key for registering alone is refused, one for approving alone is not."""
    permissions = {"register": Permission.VERSION_CREATE, "approve": Permission.VERSION_APPROVE}
    access = suspected.rooms.access
    keys = {name: access.keys.issue(name, "owner", scopes=[scope])[0] for name, scope in permissions.items()}
    callers = {name: Caller(access.principal_of_bearer(key), "request-2", "api") for name, key in keys.items()}
    with pytest.raises(NotPermitted):
        approve(suspected.rooms, callers["register"], ASK)
    assert not pending(approve(suspected.rooms, callers["approve"], ASK))


@pytest.mark.parametrize("role", ["application", "analyst", "reviewer", "auditor", "monitor", "demo"])
def test_nobody_else_approves(suspected: House, role: str) -> None:
    """No other role lets a model in, and none without a grant for it."""
    with pytest.raises(NotPermitted):
        approve(suspected.rooms, suspected.caller(role), ASK)
    with pytest.raises(NotPermitted):
        approve(suspected.rooms, suspected.caller("owner", models=("diabetes",)), ASK)
    assert not awaited(suspected.rooms, suspected.caller(role), suspected.rooms.registry.get("credit", "1.0")).may


@pytest.mark.parametrize("strict", [False, True])
def test_the_owner_of_the_machine(tmp_path, strict: bool) -> None:  # type: ignore[no-untyped-def]
    """The command line may approve what it registered, written down as its own, unless two people are asked for."""
    house = build(tmp_path, require_approval=strict).with_rooms(workers=Suspecting())
    register(house.rooms, house.caller("local"), write_folder(house.folder / "model"))
    if strict:
        with pytest.raises(NotPermitted, match="somebody else"):
            approve(house.rooms, house.caller("local"), ASK)
    else:
        assert not pending(approve(house.rooms, house.caller("local"), ASK))
    assert house.entries()[-1].entry.body["own"] is True


def test_what_is_not_there_is_not_approved(house: House) -> None:
    """An unknown version is not found; one that does not wait is a conflict."""
    house.register()
    with pytest.raises(Conflict, match="does not wait"):
        approve(house.rooms, house.caller("owner"), ApprovalAsk("credit", "1.0", {}))
    with pytest.raises(NotFound):
        approve(house.rooms, house.caller("owner"), ApprovalAsk("credit", "9.9", {}))
