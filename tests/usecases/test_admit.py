"""Who is at the door."""

from __future__ import annotations

import pytest

from explainer.access.permissions import Permission
from explainer.errors import NotAuthenticated, NotPermitted
from explainer.usecases.admit import Credentials, SignInAsk, admit, needs, sign_in, sign_out
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


def test_signing_in_and_out(house: House) -> None:
    """A session begins and ends, each with one entry; the password and the token are in none."""
    house.rooms.access.people.add("anna", PASSWORD, "analyst")
    done = sign_in(house.rooms, "request-1", SignInAsk("Anna", PASSWORD, "127.0.0.1"))
    caller = admit(house.rooms, Credentials(session=done.token), READ, "request-2", "page")
    assert caller.principal == done.principal
    sign_out(house.rooms, caller, done.token)
    with pytest.raises(NotAuthenticated):
        admit(house.rooms, Credentials(session=done.token), READ, "request-3", "page")
    assert [e.entry.outcome for e in house.entries()] == ["answered", "answered", "not-authenticated"]
    assert house.entries()[0].entry.body["person"] == done.principal.id
    assert PASSWORD not in str(house.entries())
    assert done.token not in str(house.entries())


def test_a_new_session_takes_the_place_of_the_old(house: House) -> None:
    """Signing in again ends the session that the browser had (no session is fixed in advance)."""
    house.rooms.access.people.add("anna", PASSWORD, "analyst")
    first = sign_in(house.rooms, "r", SignInAsk("anna", PASSWORD, "127.0.0.1"))
    second = sign_in(house.rooms, "r", SignInAsk("anna", PASSWORD, "127.0.0.1", previous=first.token))
    assert first.token != second.token
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_session(first.token)


def test_a_wrong_password_is_recorded_without_the_name_as_a_principal(house: House) -> None:
    """Nobody is named as the one who asked when the password was wrong."""
    house.rooms.access.people.add("anna", PASSWORD, "analyst")
    with pytest.raises(NotAuthenticated):
        sign_in(house.rooms, "r", SignInAsk("anna", "wrong password", "127.0.0.1"))
    (entry,) = house.entries()
    assert (entry.entry.principal, entry.entry.outcome) == ("anonymous", "not-authenticated")
