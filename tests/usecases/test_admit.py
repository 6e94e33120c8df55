"""Who is at the door."""

from __future__ import annotations

import pytest

from explainer.access.permissions import Permission
from explainer.errors import NotAuthenticated, NotPermitted, SecondFactorNeeded
from explainer.usecases.admit import Credentials, admit, needs
from tests.house import PASSWORD, House

READ = Permission.CARD_READ


def test_a_key_becomes_a_caller_without_an_entry(house: House) -> None:
    """Letting somebody in is not an event by itself: the use case that follows writes the entry."""
    caller = admit(house.rooms, Credentials(bearer=house.key("analyst")), READ, "request-1", "api")
    assert (caller.principal.kind, caller.principal.role) == ("key", "analyst")
    assert (caller.request_id, caller.door, caller.entries) == ("request-1", "api", [])
    assert house.entries() == []


def test_a_session_becomes_a_caller(house: House) -> None:
    """The same for a person who signed in."""
    caller = admit(house.rooms, Credentials(session=house.session("auditor")), READ, "request-1", "page")
    assert (caller.principal.kind, caller.principal.role) == ("person", "auditor")


def test_a_key_goes_before_a_session(house: House) -> None:
    """Where both come, the key counts, also when it is wrong: a bad key is never made good by a cookie."""
    both = Credentials("wrong", house.session())
    with pytest.raises(NotAuthenticated):
        admit(house.rooms, both, READ, "request-1", "api")


@pytest.mark.parametrize("credentials", [Credentials(), Credentials(bearer="x"), Credentials(session="x")])
def test_nobody_is_turned_away_with_one_entry(house: House, credentials: Credentials) -> None:
    """No, wrong and stale credentials: NotAuthenticated, recorded under the anonymous principal."""
    with pytest.raises(NotAuthenticated):
        admit(house.rooms, credentials, READ, "request-1", "api")
    (entry,) = house.entries()
    assert (entry.entry.event, entry.entry.principal) == ("api:card:read", "anonymous")
    assert entry.entry.outcome == "not-authenticated"


def test_a_role_that_may_not_is_turned_away_by_name(house: House) -> None:
    """Who is known but may not is recorded under the own name."""
    with pytest.raises(NotPermitted):
        admit(house.rooms, Credentials(bearer=house.key("administrator")), Permission.RECEIPT_READ, "r", "api")
    (entry,) = house.entries()
    assert entry.entry.principal.startswith("key_")
    assert (entry.entry.event, entry.entry.outcome) == ("api:receipt:read", "not-permitted")


def test_a_revoked_key_is_nobodys(house: House) -> None:
    """Revoking works from the next request on."""
    key = house.key()
    admit(house.rooms, Credentials(bearer=key), READ, "r", "api")
    house.rooms.access.keys.revoke(key.split("_")[1])
    with pytest.raises(NotAuthenticated):
        admit(house.rooms, Credentials(bearer=key), READ, "r", "api")


def test_needs_marks_the_view_and_nothing_else() -> None:
    """The decorated function is the same function, with its permission on it."""

    def view() -> str:
        return "answer"

    assert needs(READ)(view) is view
    assert view.permission is READ  # type: ignore[attr-defined]
    assert view() == "answer"


def test_a_half_session_is_good_at_its_step_only(house: House) -> None:
    """Where a request names the step the person is known, and held to the permission; anywhere else it is refused."""
    house.rooms.access.people.add("anna", PASSWORD, "owner")
    token = house.rooms.access.sign_in("anna", PASSWORD, "a")
    here = Credentials(session=token, steps=("set-up",))
    assert admit(house.rooms, here, Permission.ACCOUNT_MANAGE, "r", "page").principal.name == "anna"
    for steps in ((), ("prove",)):
        with pytest.raises(SecondFactorNeeded):
            admit(house.rooms, Credentials(session=token, steps=steps), READ, "r", "page")
    with pytest.raises(NotPermitted):
        admit(house.rooms, here, Permission.USER_MANAGE, "r", "page")
    assert [e.entry.outcome for e in house.entries()] == ["second-factor-needed"] * 2 + ["not-permitted"]
