"""Proves that every way in asks for what the role needs, step by step."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest

from explainer.access.admit import Access, Choices
from explainer.access.door import AT_SIGN_IN
from explainer.access.passkeys import Place
from explainer.access.passwords import Passwords
from explainer.access.roles import grantable_roles
from explainer.access.sessions import Origin
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound, SecondFactorNeeded
from tests.access.authenticator import Device
from tests.access.conftest import HandClock

GOOD = "correct horse battery"
HERE = Place("explainer.example", "https://explainer.example")
HOME = Origin("10.0.0.1", "Firefox on Linux")


def with_app(access: Access, clock: HandClock, person: str) -> str:
    """Set an authenticator app up and return its secret."""
    secret = access.factors.totp.begin(person)
    assert access.factors.totp.confirm(person, now(secret, clock))
    clock.forward(seconds=90)
    return secret


def now(secret: str, clock: HandClock) -> str:
    return pyotp.TOTP(secret).at(int(clock.now.timestamp()))


def needed(access: Access, token: str) -> str:
    with pytest.raises(SecondFactorNeeded) as caught:
        access.principal_of_session(token)
    return caught.value.step


@pytest.mark.parametrize("role", grantable_roles())
def test_a_password_alone_opens_only_what_needs_no_more(access: Access, role: str) -> None:
    """Everybody but an application and a monitor is led to set up a second factor, and is nobody until then."""
    access.people.add("anna", GOOD, role)
    token = access.sign_in("anna", GOOD, HOME)
    if role in {"application", "monitor"}:
        assert access.principal_of_session(token).role == role
    else:
        assert needed(access, token) == "set-up"


def test_whoever_has_a_factor_proves_it_every_time(access: Access, clock: HandClock) -> None:
    """Also where the role would not need one; the half session's token is worth nothing afterwards."""
    anna = access.people.add("anna", GOOD, "application")
    secret = with_app(access, clock, anna.id)
    half = access.sign_in("anna", GOOD, HOME)
    assert needed(access, half) == "prove"
    full, how = access.door.prove_by_code(half, now(secret, clock), "10.0.0.1")
    assert how == "totp"
    assert access.principal_of_session(full).id == anna.id
    assert access.door.visit(full).session.device == "Firefox on Linux"
    with pytest.raises(NotAuthenticated, match="ended"):
        access.principal_of_session(half)


def test_a_passkey_proves_too(access: Access) -> None:
    """As the second factor after a password, bound to this session; as both factors at the sign-in page."""
    anna = access.people.add("anna", GOOD, "owner")
    device, passkeys = Device(), access.factors.passkeys
    passkeys.add(anna.id, "key", device.make(passkeys.ask_new(anna.id, "anna", HERE, "x")), HERE, "x")
    half, other = access.sign_in("anna", GOOD, HOME), access.sign_in("anna", GOOD, HOME)
    asked = passkeys.ask(HERE, access.door.visit(half).session.id, anna.id)
    answer = device.sign(asked)
    with pytest.raises(NotAuthenticated):
        access.door.prove_by_passkey(other, answer, HERE)
    asked = passkeys.ask(HERE, access.door.visit(half).session.id, anna.id)
    assert access.principal_of_session(access.door.prove_by_passkey(half, device.sign(asked), HERE)).id == anna.id
    alone = access.door.with_passkey(device.sign(passkeys.ask(HERE, AT_SIGN_IN)), HERE, HOME, previous=other)
    assert access.principal_of_session(alone).id == anna.id
    with pytest.raises(NotAuthenticated):
        access.door.visit(other)
    access.disable(anna.id)
    with pytest.raises(NotAuthenticated, match="not known"):
        access.door.with_passkey(device.sign(passkeys.ask(HERE, AT_SIGN_IN)), HERE, HOME)


def test_steps_cannot_be_jumped(access: Access, clock: HandClock) -> None:
    """A session that must set up cannot prove, one that must prove cannot set up, and a full one does neither again."""
    anna = access.people.add("anna", GOOD, "owner")
    fresh = access.sign_in("anna", GOOD, HOME)
    with pytest.raises(NotAuthenticated, match="Set up"):
        access.door.set_up_done(fresh)
    secret = with_app(access, clock, anna.id)
    with pytest.raises(NotAuthenticated):
        access.door.prove_by_code(fresh, now(secret, clock), "a")
    half = access.sign_in("anna", GOOD, HOME)
    with pytest.raises(NotAuthenticated):
        access.door.set_up_done(half)
    full, _ = access.door.prove_by_code(half, now(secret, clock), "a")
    clock.forward(seconds=30)
    with pytest.raises(NotAuthenticated):
        access.door.prove_by_code(full, now(secret, clock), "a")


def test_the_first_factor_ends_the_set_up(access: Access, clock: HandClock) -> None:
    """With an app set up the session becomes a full one, under a new token."""
    anna = access.people.add("anna", GOOD, "owner")
    token = access.sign_in("anna", GOOD, HOME)
    with_app(access, clock, anna.id)
    full = access.door.set_up_done(token)
    assert full != token
    assert access.principal_of_session(full).id == anna.id


@pytest.mark.parametrize(
    ("address", "open_demo", "enough"),
    [
        ("127.0.0.1", True, True),
        ("::1", True, True),
        ("::ffff:127.0.0.1", True, True),
        ("10.0.0.1", True, False),
        ("2001:db8::1", True, False),
        ("", True, False),
        ("127.0.0.1", False, False),
    ],
)
def test_the_demos_person_is_in_at_once_from_this_machine_only(
    tmp_path: Path, cheap: Passwords, address: str, open_demo: bool, enough: bool
) -> None:
    """One step only where the service listens on loopback and the browser is there too."""
    access = Access(tmp_path / "access.db", passwords=cheap, choices=Choices(open_demo=open_demo))
    access.people.add("demo", GOOD, "demo")
    token = access.sign_in("demo", GOOD, address)
    assert (access.door.visit(token).session.stage == "full") is enough


def test_a_link_makes_the_first_administrator_once(access: Access) -> None:
    """With the name and password that were chosen; a second link makes no second one behind their back."""
    link = access.invitations.make("first-administrator")
    with pytest.raises(InvalidOption):
        access.door.accept(link, "anna", "short")
    with pytest.raises(InvalidOption):
        access.door.accept(link, "", GOOD)
    _, anna = access.door.accept(link, "anna", GOOD)
    assert (anna.role, anna.name) == ("administrator", "anna")
    assert needed(access, access.sign_in("anna", GOOD, HOME)) == "set-up"
    with pytest.raises(NotFound):
        access.door.accept(link, "eve", GOOD)
    with pytest.raises(Conflict, match="administrator already"):
        access.door.accept(access.invitations.make("first-administrator"), "eve", GOOD)
    assert [p.name for p in access.people.all()] == ["anna"]


def test_a_link_gives_a_new_password_and_ends_all_sessions(access: Access) -> None:
    """The person keeps their name and role; what was typed before no longer fits."""
    anna = access.people.add("anna", None, "application")
    with pytest.raises(NotAuthenticated):
        access.sign_in("anna", "", HOME)
    access.door.accept(access.invitations.make("choose-password", anna.id), "ignored", GOOD)
    token = access.sign_in("anna", GOOD, HOME)
    access.door.accept(access.invitations.make("choose-password", anna.id), "", "another good password")
    with pytest.raises(NotAuthenticated):
        access.principal_of_session(token)
    with pytest.raises(NotAuthenticated):
        access.sign_in("anna", GOOD, HOME)
    access.sign_in("anna", "another good password", HOME)


def test_a_password_made_of_the_name_is_refused_by_a_link_too(access: Access) -> None:
    """The rules are the same on every way."""
    anna = access.people.add("annabella", None, "application")
    with pytest.raises(InvalidOption, match="too easy"):
        access.door.accept(access.invitations.make("choose-password", anna.id), "", "annabella-annabella")
