"""Keys are made and ended by administrators, looked at and rotated by their programs, one entry for each step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from explainer.errors import Conflict, NotAuthenticated, NotFound, NotPermitted
from explainer.records import Principal
from explainer.usecases import keys
from explainer.usecases.keys import KeyAsk
from explainer.usecases.rooms import Caller
from tests.house import House

STEPS: list[Callable[[House, Any], Any]] = [
    lambda h, c: keys.list_keys(h.rooms, c),
    lambda h, c: keys.add_key(h.rooms, c, KeyAsk("script", "analyst")),
    lambda h, c: keys.revoke_key(h.rooms, c, "aaaaaaaa"),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("role", ["application", "analyst", "reviewer", "auditor", "owner", "demo", "monitor"])
def test_nobody_but_administrators(house: House, step: Callable[[House, Any], Any], role: str) -> None:
    """Every other role is refused at each step, and nothing changes."""
    with pytest.raises(NotPermitted):
        step(house, house.caller(role))
    assert house.rooms.access.keys.all() == []
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]


def test_a_key_is_made_once_and_ended(house: House) -> None:
    """The text opens with its role until it is revoked; the ledger knows its id only."""
    boss = house.caller("administrator")
    issued = keys.add_key(house.rooms, boss, KeyAsk("script", "analyst", ("credit",), 30))
    (key,) = keys.list_keys(house.rooms, boss)
    assert key == issued.key
    assert house.rooms.access.principal_of_bearer(issued.text).models == ("credit",)
    assert key.created_by == "key_administrator"
    assert key.expires_at is not None
    left = datetime.fromisoformat(key.expires_at) - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)
    assert keys.revoke_key(house.rooms, boss, key.id).revoked_at is not None
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_bearer(issued.text)
    with pytest.raises(NotFound):
        keys.revoke_key(house.rooms, boss, "aaaaaaaa")
    assert issued.text.rsplit("_", 1)[1] not in str(house.entries())
    assert house.entries()[0].entry.body == {"role": "analyst", "key": key.id}


def test_a_key_without_an_end(house: House) -> None:
    """Where no days are named the key has no expiry."""
    keys.add_key(house.rooms, house.caller("local"), KeyAsk("script", "analyst", days=None))
    assert house.rooms.access.keys.all()[0].expires_at is None


def test_a_program_looks_at_and_rotates_its_own_key_only(house: House) -> None:
    """Another program's key is not there for it, neither to look at nor to rotate; an administrator reaches all."""
    access = house.rooms.access
    (mine, key), (_, other) = access.keys.issue("mine", "application"), access.keys.issue("other", "application")
    caller = Caller(access.principal_of_bearer(mine), "r", "api")
    assert keys.show_key(house.rooms, caller, key.id).name == "mine"
    for ask in (keys.show_key, lambda *a: keys.rotate_key(*a, 24)):
        for absent in (other.id, "aaaaaaaa"):
            with pytest.raises(NotFound, match=absent):
                ask(house.rooms, caller, absent)
    rotated = keys.rotate_key(house.rooms, caller, key.id, 24)
    again = Caller(access.principal_of_bearer(rotated.text), "r", "api")
    assert again.principal.id == caller.principal.id
    assert keys.show_key(house.rooms, again, key.id).expires_at is not None
    with pytest.raises(Conflict):
        keys.rotate_key(house.rooms, caller, key.id, 24)
    assert keys.show_key(house.rooms, house.caller("administrator"), other.id).name == "other"
    entry = next(
        e.entry for e in house.entries() if e.entry.outcome == "answered" and e.entry.event == "api:key:rotate"
    )
    assert entry.body == {"key": key.id, "overlap_hours": 24, "new_key": rotated.key.id}


def test_a_person_has_no_key_of_their_own(house: House) -> None:
    """Somebody whose id looks like a program's gets nothing by it."""
    _, key = house.rooms.access.keys.issue("k", "application")
    person = Caller(Principal(f"key_{key.id}", "person", "application"), "r", "page")
    with pytest.raises(NotFound):
        keys.show_key(house.rooms, person, key.id)
