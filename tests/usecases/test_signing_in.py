"""Each step of a sign-in has one entry, without a secret in it."""

from __future__ import annotations

import pyotp
import pytest

from explainer.access.permissions import Permission
from explainer.errors import NotAuthenticated, NotFound
from explainer.usecases import signing_in as steps
from explainer.usecases.admit import Credentials, admit
from explainer.usecases.rooms import Caller
from explainer.usecases.signing_in import Browser
from tests.house import PASSWORD, House

BROWSER = Browser("request-1", "127.0.0.1", "Firefox on Linux")


def caller_of(house: House, done: steps.SignedIn) -> Caller:
    return Caller(done.principal, "request-2", "page")


def test_signing_in_and_out(house: House) -> None:
    """A session begins and ends, each with one entry; the password and the token are in none."""
    house.rooms.access.people.add("anna", PASSWORD, "application")
    done = steps.sign_in(house.rooms, BROWSER, "Anna", PASSWORD)
    caller = admit(house.rooms, Credentials(session=done.token), Permission.CARD_READ, "request-2", "page")
    assert (caller.principal, done.stage) == (done.principal, "full")
    steps.sign_out(house.rooms, caller, done.token)
    with pytest.raises(NotAuthenticated):
        admit(house.rooms, Credentials(session=done.token), Permission.CARD_READ, "request-3", "page")
    assert [e.entry.outcome for e in house.entries()] == ["answered", "answered", "not-authenticated"]
    assert house.entries()[0].entry.body == {"by": "password", "person": done.principal.id, "stage": "full"}
    assert PASSWORD not in str(house.entries())
    assert done.token not in str(house.entries())


def test_a_new_session_takes_the_place_of_the_old(house: House) -> None:
    """Signing in again ends the session that the browser had (no session is fixed in advance)."""
    house.rooms.access.people.add("anna", PASSWORD, "application")
    first = steps.sign_in(house.rooms, BROWSER, "anna", PASSWORD)
    again = Browser("request-2", "127.0.0.1", previous=first.token)
    second = steps.sign_in(house.rooms, again, "anna", PASSWORD)
    assert first.token != second.token
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_session(first.token)


def test_a_wrong_password_is_recorded_without_the_name_as_a_principal(house: House) -> None:
    """Nobody is named as the one who asked when the password was wrong."""
    house.rooms.access.people.add("anna", PASSWORD, "application")
    with pytest.raises(NotAuthenticated):
        steps.sign_in(house.rooms, BROWSER, "anna", "wrong password")
    (entry,) = house.entries()
    assert (entry.entry.principal, entry.entry.outcome) == ("anonymous", "not-authenticated")
    assert "anna" not in str(entry.entry)


def test_the_second_factor_is_recorded_under_the_persons_name(house: House) -> None:
    """Wrong and right, with the kind of factor; the code is in no entry."""
    access = house.rooms.access
    anna = access.people.add("anna", PASSWORD, "owner")
    secret = access.factors.totp.begin(anna.id)
    assert access.factors.totp.confirm(anna.id, pyotp.TOTP(secret).now())
    (code, *_) = access.factors.recovery.renew(anna.id)
    half = steps.sign_in(house.rooms, BROWSER, "anna", PASSWORD)
    caller = caller_of(house, half)
    offered = steps.look_at_factors(house.rooms, caller, half.token, None)
    assert offered is not None
    assert (offered.factors.totp, offered.passkey) == (True, None)
    with pytest.raises(NotAuthenticated):
        steps.prove(house.rooms, caller, half.token, "000000", "127.0.0.1")
    done = steps.prove(house.rooms, caller, half.token, code, "127.0.0.1")
    assert done.stage == "full"
    assert steps.look_at_factors(house.rooms, caller_of(house, done), done.token, None) is None
    found = [(e.entry.event, e.entry.outcome, e.entry.principal) for e in house.entries()]
    assert found[2:4] == [
        ("page:session:prove", "not-authenticated", anna.id),
        ("page:session:prove", "answered", anna.id),
    ]
    assert house.entries()[3].entry.body == {"by": "recovery"}
    assert code not in str(house.entries())


def test_a_link_is_recorded_when_it_is_used(house: House) -> None:
    """Looking at it is nobody's act; using it is, and so is a failed try."""
    link = house.rooms.access.invitations.make("first-administrator")
    assert steps.look_at_invitation(house.rooms, link).first
    assert house.entries() == []
    done = steps.accept_invitation(house.rooms, BROWSER, link, "anna", PASSWORD)
    assert (done.stage, done.principal.role) == ("set-up", "administrator")
    with pytest.raises(NotFound):
        steps.accept_invitation(house.rooms, BROWSER, link, "eve", PASSWORD)
    assert [e.entry.outcome for e in house.entries()] == ["answered", "not-found"]
    assert link not in str(house.entries())
