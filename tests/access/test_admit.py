"""Proves that the door opens for whom it should and for nobody else."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from explainer.access.admit import Access
from explainer.access.permissions import Permission
from explainer.access.roles import ROLES
from explainer.errors import NotAuthenticated, NotPermitted
from explainer.records import Principal

GOOD = "correct horse battery"


def test_a_key_becomes_a_principal(access: Access) -> None:
    """Role, name and models are the key's own."""
    token, key = access.keys.issue("batch", "application", models=["credit-gbm"])
    expected = Principal(f"key_{key.id}", "key", "application", "batch", ("credit-gbm",))
    assert access.principal_of_bearer(token) == expected


@pytest.mark.parametrize("token", ["", "xk_", "Bearer x", "xk_aaaaaaaa_" + "A" * 43])
def test_other_bearers_are_refused(access: Access, token: str) -> None:
    """A bearer token that is no key is not authenticated."""
    with pytest.raises(NotAuthenticated, match="not valid"):
        access.principal_of_bearer(token)


def test_a_person_signs_in_and_out(access: Access) -> None:
    """After signing in the session is the person; after signing out it is nobody."""
    anna = access.people.add("anna", GOOD, "application")
    token = access.sign_in("anna", GOOD, "10.0.0.1")
    assert access.principal_of_session(token) == Principal(anna.id, "person", "application", "anna", ("*",))
    access.sign_out(token)
    with pytest.raises(NotAuthenticated, match="ended"):
        access.principal_of_session(token)


def test_a_failed_sign_in_starts_no_session(access: Access) -> None:
    """A wrong password leaves no session behind."""
    anna = access.people.add("anna", GOOD, "reviewer")
    with pytest.raises(NotAuthenticated):
        access.sign_in("anna", "wrong password", "a")
    assert access.sessions.of(anna.id) == []


def test_the_previous_session_ends_at_sign_in(access: Access) -> None:
    """Signing in again with the old cookie replaces its session."""
    access.people.add("anna", GOOD, "application")
    old = access.sign_in("anna", GOOD, "a")
    new = access.sign_in("anna", GOOD, "a", previous=old)
    access.principal_of_session(new)
    with pytest.raises(NotAuthenticated):
        access.principal_of_session(old)


def test_a_changed_role_holds_at_once(access: Access) -> None:
    """A running session has the person's present role, not the one at sign-in."""
    anna = access.people.add("anna", GOOD, "application")
    token = access.sign_in("anna", GOOD, "a")
    access.people.set_role(anna.id, "analyst")
    assert access.principal_of_session(token).role == "analyst"


@pytest.mark.parametrize("how", ["disable", "change_password", "change_role"])
def test_disabling_a_new_password_and_another_role_end_all_sessions(access: Access, how: str) -> None:
    """Whoever holds an old session is out at once."""
    anna = access.people.add("anna", GOOD, "application")
    tokens = [access.sign_in("anna", GOOD, "a") for _ in range(2)]
    more = {"disable": (), "change_password": ("another good password",), "change_role": ("analyst", ("credit",))}
    getattr(access, how)(anna.id, *more[how])
    for token in tokens:
        with pytest.raises(NotAuthenticated):
            access.principal_of_session(token)


def test_a_disabled_person_is_out_even_where_a_session_was_left(access: Access) -> None:
    """The person's state decides, not the session's."""
    anna = access.people.add("anna", GOOD, "application")
    token = access.sign_in("anna", GOOD, "a")
    access.people.set_disabled(anna.id, True)
    with pytest.raises(NotAuthenticated):
        access.principal_of_session(token)


@pytest.mark.parametrize(("role", "permission"), list(itertools.product(sorted(ROLES), Permission)))
def test_every_role_is_held_to_its_permissions(access: Access, role: str, permission: Permission) -> None:
    """For each role and permission: granted exactly when the table says so."""
    principal = Principal("x", "local" if role == "local" else "person", role)
    allowed = permission in ROLES[role]
    assert access.may(principal, permission) is allowed
    if allowed:
        access.require(principal, permission)
    else:
        with pytest.raises(NotPermitted, match=permission.value):
            access.require(principal, permission)


def test_a_scoped_key_has_a_part_of_its_role(access: Access) -> None:
    """What is not among its scopes is refused, although the role has it; a scope never gives what the role lacks."""
    token, _ = access.keys.issue("k", "analyst", scopes=["models:card:read"])
    principal = access.principal_of_bearer(token)
    access.require(principal, Permission.CARD_READ)
    with pytest.raises(NotPermitted, match="scopes"):
        access.require(principal, Permission.EXPLANATION_CREATE)
    forged = dataclasses.replace(principal, scopes=("access:key:manage",))  # type: ignore[call-arg]
    assert not access.may(forged, Permission.KEY_MANAGE)


def test_grants_per_model_hold(access: Access) -> None:
    """A principal reaches the models it was granted, by their exact names, and no other."""
    principal = Principal("x", "key", "analyst", models=("credit-gbm", "house"))
    access.require(principal, Permission.EXPLANATION_CREATE, "house")
    for model in ("credit", "credit-gbm2", "HOUSE", "*", ""):
        with pytest.raises(NotPermitted, match="no grant"):
            access.require(principal, Permission.EXPLANATION_CREATE, model)
    with pytest.raises(NotPermitted):
        access.require(Principal("x", "key", "analyst", models=()), Permission.CARD_READ, "house")
    access.require(Principal("x", "key", "analyst"), Permission.CARD_READ, "anything")


def test_nobody_is_asked_to_sign_in(access: Access) -> None:
    """Without a principal the answer is 401, not 403."""
    for nobody in (None, Principal("anonymous", "anonymous", "none", models=()), Principal("a", "anonymous", "owner")):
        with pytest.raises(NotAuthenticated):
            access.require(nobody, Permission.CARD_READ)


@pytest.mark.parametrize("kind", ["person", "key"])
def test_the_command_lines_role_is_worth_nothing_elsewhere(access: Access, kind: str) -> None:
    """Were the local role ever written into a key or a person, it would still permit nothing."""
    assert not access.may(Principal("x", kind, "local"), Permission.CARD_READ)  # type: ignore[arg-type]
    assert not access.may(Principal("x", "local", "owner"), Permission.CARD_READ)


def test_everything_survives_a_restart(access: Access) -> None:
    """Keys, people and sessions are there when the service starts again."""
    access.people.add("anna", GOOD, "application")
    key, token = access.keys.issue("k", "analyst")[0], access.sign_in("anna", GOOD, "a")
    again = Access(access._file.path, clock=access.keys._clock)
    assert again.principal_of_bearer(key) == access.principal_of_bearer(key)
    assert again.principal_of_session(token) == access.principal_of_session(token)
