"""People are managed by administrators, one entry for each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from explainer.access.sessions import Origin
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound, NotPermitted
from explainer.records import Principal
from explainer.usecases import people
from explainer.usecases.people import PersonWish
from explainer.usecases.rooms import Caller
from tests.house import PASSWORD, House

NOBODY = "usr_" + "0" * 16
STEPS: list[Callable[[House, Any], Any]] = [
    lambda h, c: people.list_people(h.rooms, c),
    lambda h, c: people.show_person(h.rooms, c, NOBODY),
    lambda h, c: people.add_person(h.rooms, c, "anna", PASSWORD, "analyst"),
    lambda h, c: people.invite_person(h.rooms, c, PersonWish("anna", "analyst")),
    lambda h, c: people.invite_first(h.rooms, c),
    lambda h, c: people.invite_again(h.rooms, c, NOBODY),
    lambda h, c: people.change_role(h.rooms, c, NOBODY, "owner", ("*",)),
    lambda h, c: people.forget_factors(h.rooms, c, NOBODY),
    lambda h, c: people.set_state(h.rooms, c, NOBODY, disabled=True),
    lambda h, c: people.end_sessions(h.rooms, c, NOBODY, None),
]
ON_ONE = STEPS[5:9]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("role", ["application", "analyst", "reviewer", "auditor", "owner", "demo", "monitor"])
def test_nobody_but_administrators(house: House, step: Callable[[House, Any], Any], role: str) -> None:
    """Every other role is refused at each step, and nothing changes."""
    with pytest.raises(NotPermitted):
        step(house, house.caller(role))
    assert house.rooms.access.people.all() == []
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]


def test_a_person_comes_and_is_kept_out(house: House) -> None:
    """Added, listed, disabled: then neither a new sign-in nor the running session works, until let in again."""
    boss = house.caller("administrator")
    person = people.add_person(house.rooms, boss, "anna", PASSWORD, "application")
    session = house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")
    assert [p.id for p in people.list_people(house.rooms, boss)] == [person.id]
    people.set_state(house.rooms, boss, person.id, disabled=True)
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_session(session)
    with pytest.raises(NotAuthenticated):
        house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")
    people.set_state(house.rooms, boss, person.id, disabled=False)
    assert house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")
    assert [e.entry.body.get("person") for e in house.entries()] == [person.id, None, person.id, person.id]


def test_what_cannot_be_added_is_recorded(house: House) -> None:
    """A taken name, a short password, an unknown role: each its error, each one entry."""
    boss = house.caller("administrator")
    people.add_person(house.rooms, boss, "anna", PASSWORD, "analyst")
    for name, password, role, error in (
        ("Anna", PASSWORD, "analyst", Conflict),
        ("berta", "short", "analyst", InvalidOption),
        ("berta", PASSWORD, "local", InvalidOption),
    ):
        with pytest.raises(error):
            people.add_person(house.rooms, boss, name, password, role)
    outcomes = [e.entry.outcome for e in house.entries()]
    assert outcomes == ["answered", "conflict", "invalid-option", "invalid-option"]
    assert PASSWORD not in str(house.entries())


@pytest.mark.parametrize("step", [*ON_ONE, STEPS[9], STEPS[1]])
def test_nobody_of_that_id_is_not_found(house: House, step: Callable[[House, Any], Any]) -> None:
    """Each step on a person who is not there is NotFound, with one entry."""
    with pytest.raises(NotFound):
        step(house, house.caller("administrator"))
    assert [e.entry.outcome for e in house.entries()] == ["not-found"]


def test_the_first_administrator_is_invited_while_nobody_is_there(house: House) -> None:
    """A link at each start until somebody used it; none any more once anybody exists."""
    local = house.caller("local", "cli")
    first = people.invite_first(house.rooms, local)
    second = people.invite_first(house.rooms, local)
    assert first is not None
    assert second is not None
    with pytest.raises(NotFound):
        house.rooms.access.invitations.look(first)
    house.rooms.access.door.accept(second, "anna", PASSWORD)
    before = len(house.entries())
    assert people.invite_first(house.rooms, local) is None
    assert len(house.entries()) == before == 2
    assert second not in str(house.entries())


def test_nobody_changes_their_own_rights(house: House) -> None:
    """Whoever gives roles does not give one to themselves, nor disables or resets themselves."""
    anna = house.rooms.access.people.add("anna", PASSWORD, "administrator")
    caller = Caller(Principal(anna.id, "person", "administrator", "anna"), "r", "page")
    for change in (
        lambda: people.change_role(house.rooms, caller, anna.id, "reviewer", ("*",)),
        lambda: people.invite_again(house.rooms, caller, anna.id),
        lambda: people.forget_factors(house.rooms, caller, anna.id),
        lambda: people.set_state(house.rooms, caller, anna.id, disabled=True),
    ):
        with pytest.raises(NotPermitted, match="their own rights"):
            change()
    assert house.rooms.access.people.get(anna.id) == anna


def test_another_role_ends_all_sessions(house: House) -> None:
    """What is permitted anew needs a new sign-in; an unknown role changes nothing."""
    boss, access = house.caller("administrator"), house.rooms.access
    anna = access.people.add("anna", PASSWORD, "application")
    token = access.sign_in("anna", PASSWORD, "a")
    with pytest.raises(InvalidOption):
        people.change_role(house.rooms, boss, anna.id, "king", ("*",))
    access.principal_of_session(token)
    people.change_role(house.rooms, boss, anna.id, "owner", ("credit",))
    with pytest.raises(NotAuthenticated):
        access.principal_of_session(token)
    assert (access.people.get(anna.id).role, access.people.get(anna.id).models) == ("owner", ("credit",))


def test_sessions_are_ended_one_by_one_or_all(house: House) -> None:
    """Of the person named only."""
    boss, access = house.caller("administrator"), house.rooms.access
    anna, bert = (access.people.add(name, PASSWORD, "application") for name in ("anna", "bert"))
    tokens = [access.door.begin(anna, Origin("a")) for _ in range(3)]
    other = access.door.visit(access.door.begin(bert, Origin("b"))).session
    with pytest.raises(NotFound):
        people.end_sessions(house.rooms, boss, anna.id, other.id)
    people.end_sessions(house.rooms, boss, anna.id, access.door.visit(tokens[0]).session.id)
    page = people.show_person(house.rooms, boss, anna.id)
    assert len(page.sessions) == 2
    people.end_sessions(house.rooms, boss, anna.id, None)
    assert access.sessions.of(anna.id) == []
    assert len(access.sessions.of(bert.id)) == 1
