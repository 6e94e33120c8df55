"""People and keys are managed by administrators, one entry for each step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound, NotPermitted
from explainer.usecases import people
from explainer.usecases.people import KeyAsk
from tests.house import PASSWORD, House

STEPS: list[Callable[[House, Any], Any]] = [
    lambda h, c: people.list_people(h.rooms, c),
    lambda h, c: people.add_person(h.rooms, c, "anna", PASSWORD, "analyst"),
    lambda h, c: people.disable_person(h.rooms, c, "anna"),
    lambda h, c: people.list_keys(h.rooms, c),
    lambda h, c: people.add_key(h.rooms, c, KeyAsk("script", "analyst")),
    lambda h, c: people.revoke_key(h.rooms, c, "aaaaaaaa"),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("role", ["application", "analyst", "reviewer", "auditor", "owner", "demo"])
def test_nobody_but_administrators(house: House, step: Callable[[House, Any], Any], role: str) -> None:
    """Every other role is refused at each step, and nothing changes."""
    with pytest.raises(NotPermitted):
        step(house, house.caller(role))
    assert house.rooms.access.people.all() == []
    assert house.rooms.access.keys.all() == []
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]


def test_a_person_comes_and_is_kept_out(house: House) -> None:
    """Added, listed, disabled: then neither a new sign-in nor the running session works."""
    boss = house.caller("administrator")
    person = people.add_person(house.rooms, boss, "anna", PASSWORD, "analyst")
    session = house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")
    assert [p.id for p in people.list_people(house.rooms, boss)] == [person.id]
    people.disable_person(house.rooms, boss, "ANNA")
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_session(session)
    with pytest.raises(NotAuthenticated):
        house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")
    assert [e.entry.body.get("person") for e in house.entries()] == [person.id, None, person.id]


def test_what_cannot_be_added_is_recorded(house: House) -> None:
    """A taken name, a short password, an unknown role, nobody to disable: each its error, each one entry."""
    boss = house.caller("administrator")
    people.add_person(house.rooms, boss, "anna", PASSWORD, "analyst")
    for name, password, role, error in (
        ("Anna", PASSWORD, "analyst", Conflict),
        ("berta", "short", "analyst", InvalidOption),
        ("berta", PASSWORD, "local", InvalidOption),
    ):
        with pytest.raises(error):
            people.add_person(house.rooms, boss, name, password, role)
    with pytest.raises(NotFound):
        people.disable_person(house.rooms, boss, "nobody")
    outcomes = [e.entry.outcome for e in house.entries()]
    assert outcomes == ["answered", "conflict", "invalid-option", "invalid-option", "not-found"]
    assert PASSWORD not in str(house.entries())


def test_a_key_is_made_once_and_ended(house: House) -> None:
    """The text opens with its role until it is revoked; the ledger knows its id only."""
    boss = house.caller("administrator")
    text = people.add_key(house.rooms, boss, KeyAsk("script", "analyst", ("credit",), 30))
    (key,) = people.list_keys(house.rooms, boss)
    assert house.rooms.access.principal_of_bearer(text).models == ("credit",)
    assert key.created_by == "key_administrator"
    assert key.expires_at is not None
    left = datetime.fromisoformat(key.expires_at) - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)
    people.revoke_key(house.rooms, boss, key.id)
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_bearer(text)
    with pytest.raises(NotFound):
        people.revoke_key(house.rooms, boss, "aaaaaaaa")
    assert text.rsplit("_", 1)[1] not in str(house.entries())
    assert house.entries()[0].entry.body == {"role": "analyst", "key": key.id}


def test_a_key_without_an_end(house: House) -> None:
    """`days=None` makes one that does not expire."""
    people.add_key(house.rooms, house.caller("local"), KeyAsk("script", "analyst", days=None))
    assert house.rooms.access.keys.all()[0].expires_at is None
