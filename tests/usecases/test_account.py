"""A person changes their own account, and nobody else's, one entry for each step."""

from __future__ import annotations

import pyotp
import pytest

from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotPermitted
from explainer.records import Principal
from explainer.usecases import account
from explainer.usecases.account import PasswordWish
from explainer.usecases.rooms import Caller
from tests.house import PASSWORD, House

NEW = "another good password"


def signed_in(house: House, role: str = "owner") -> tuple[Caller, str]:
    token = house.session(role)
    return Caller(house.rooms.access.principal_of_session(token), "r", "page"), token


def test_the_account_is_that_of_the_session(house: House) -> None:
    """Person, factors, sessions, the present one, and whether the role needs a second factor."""
    for role, must in (("owner", True), ("application", False), ("demo", False)):
        caller, token = signed_in(house, role)
        shown = account.show_account(house.rooms, caller, token)
        assert (shown.person.role, shown.must_have_second) == (role, must)
        assert [s.id for s in shown.sessions] == [shown.here.id]


def test_a_key_has_no_account(house: House) -> None:
    """Without a session there is nothing to show or change."""
    with pytest.raises(NotAuthenticated):
        account.show_account(house.rooms, house.caller("owner"), "")
    with pytest.raises(NotPermitted):
        account.show_account(house.rooms, Caller(Principal("x", "person", "none"), "r", "page"), "")


def test_a_new_password_ends_the_others_sessions(house: House) -> None:
    """This browser goes on under a new token; a wrong present password changes nothing and is slowed down."""
    caller, token = signed_in(house)
    person = house.rooms.access.door.visit(token).person
    for wish in (PasswordWish("wrong", NEW, NEW), PasswordWish(PASSWORD, NEW, "x"), PasswordWish(PASSWORD, "x", "x")):
        with pytest.raises((NotAuthenticated, InvalidOption)):
            account.change_password(house.rooms, caller, token, wish)
    done = account.change_password(house.rooms, caller, token, PasswordWish(PASSWORD, NEW, NEW))
    assert house.rooms.access.principal_of_session(done.token).id == person.id
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_session(token)
    outcomes = [e.entry.outcome for e in house.entries()]
    assert outcomes == ["not-authenticated", "invalid-option", "invalid-option", "answered"]
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            account.change_password(house.rooms, caller, done.token, PasswordWish("wrong", NEW, NEW))
    with pytest.raises(NotAuthenticated, match="try again in"):
        account.change_password(house.rooms, caller, done.token, PasswordWish(NEW, PASSWORD, PASSWORD))


def test_codes_come_with_the_first_factor_only(house: House) -> None:
    """A second factor more does not end the codes that somebody has printed."""
    caller, token = signed_in(house)
    given = account.begin_app(house.rooms, caller, token)
    first = account.confirm_app(house.rooms, caller, token, pyotp.TOTP(given.secret).now())
    assert len(first.codes) == 10
    assert first.token == token
    with pytest.raises(Conflict):
        account.begin_app(house.rooms, caller, token)
    with pytest.raises(Conflict, match="Your role needs"):
        account.remove_app(house.rooms, caller, token)


def test_where_the_role_needs_none_the_last_factor_can_go(house: House) -> None:
    """An application's person may go back to the password alone."""
    caller, token = signed_in(house, "application")
    given = account.begin_app(house.rooms, caller, token)
    account.confirm_app(house.rooms, caller, token, pyotp.TOTP(given.secret).now())
    account.remove_app(house.rooms, caller, token)
    assert not account.show_account(house.rooms, caller, token).factors.any
