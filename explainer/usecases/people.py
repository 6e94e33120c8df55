"""Who may come in: people with passwords and programs with keys, added and ended by those who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from explainer.access.keys import ApiKey
from explainer.access.people import Person
from explainer.access.permissions import Permission
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class KeyAsk:
    name: str
    role: str
    models: tuple[str, ...] = ("*",)
    days: int | None = 365


def list_people(rooms: Rooms, caller: Caller) -> list[Person]:
    with recorded(rooms.ledger, caller, "user:list"):
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        return rooms.access.people.all()


def add_person(rooms: Rooms, caller: Caller, name: str, password: str, role: str) -> Person:
    """Raises InvalidOption for a short password or an unknown role, Conflict when the name is taken."""
    with recorded(rooms.ledger, caller, "user:create", role=role) as note:
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        person = rooms.access.people.add(name, password, role)
        note["person"] = person.id
        return person


def disable_person(rooms: Rooms, caller: Caller, name: str) -> None:
    """Raises NotFound when there is nobody of that name."""
    with recorded(rooms.ledger, caller, "user:disable") as note:
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        person = rooms.access.people.named(name)
        note["person"] = person.id
        rooms.access.disable(person.id)


def list_keys(rooms: Rooms, caller: Caller) -> list[ApiKey]:
    with recorded(rooms.ledger, caller, "key:list"):
        rooms.access.require(caller.principal, Permission.KEY_MANAGE)
        return rooms.access.keys.all()


def add_key(rooms: Rooms, caller: Caller, ask: KeyAsk) -> str:
    """Return the key's text, which cannot be had again; raises InvalidOption for an unknown role."""
    with recorded(rooms.ledger, caller, "key:create", role=ask.role) as note:
        rooms.access.require(caller.principal, Permission.KEY_MANAGE)
        expires = None if ask.days is None else datetime.now(UTC) + timedelta(days=ask.days)
        text, key = rooms.access.keys.issue(
            ask.name, ask.role, models=ask.models, expires_at=expires, created_by=caller.principal.id
        )
        note["key"] = key.id
        return text


def revoke_key(rooms: Rooms, caller: Caller, key_id: str) -> None:
    """Raises NotFound when there is no such key."""
    with recorded(rooms.ledger, caller, "key:revoke", key=key_id):
        rooms.access.require(caller.principal, Permission.KEY_MANAGE)
        rooms.access.keys.revoke(key_id)
