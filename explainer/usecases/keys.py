"""Keys of programs: made and ended by administrators, looked at and rotated by the program itself too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from explainer.access.keys import ApiKey
from explainer.access.permissions import Permission
from explainer.errors import NotFound
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class KeyAsk:
    """`scopes` are a part of the role's permissions, None all of them; `days` until the key expires, None never."""

    name: str
    role: str
    models: tuple[str, ...] = ("*",)
    days: int | None = 365
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """`text` is the key itself, never to be had again."""

    text: str
    key: ApiKey


def list_keys(rooms: Rooms, caller: Caller) -> list[ApiKey]:
    with recorded(rooms.ledger, caller, "key:list"):
        rooms.access.require(caller.principal, Permission.KEY_MANAGE)
        return rooms.access.keys.all()


def show_key(rooms: Rooms, caller: Caller, key_id: str) -> ApiKey:
    """Raises NotFound, also for another program's key."""
    with recorded(rooms.ledger, caller, "key:read", key=key_id[:40]):
        return _reachable(rooms, caller, key_id)


def add_key(rooms: Rooms, caller: Caller, ask: KeyAsk) -> Issued:
    """Raises InvalidOption for an unknown role, or a scope that it does not have."""
    with recorded(rooms.ledger, caller, "key:create", role=ask.role) as note:
        rooms.access.require(caller.principal, Permission.KEY_MANAGE)
        expires = None if ask.days is None else datetime.now(UTC) + timedelta(days=ask.days)
        text, key = rooms.access.keys.issue(
            ask.name,
            ask.role,
            models=ask.models,
            expires_at=expires,
            scopes=ask.scopes,
            created_by=caller.principal.id,
        )
        note["key"] = key.id
        return Issued(text, key)


def rotate_key(rooms: Rooms, caller: Caller, key_id: str, overlap_hours: int) -> Issued:
    """Return a new key of the same program; the old one works `overlap_hours` longer.

    Raises NotFound, also for another program's key, Conflict for a key that has ended or was rotated before.
    """
    with recorded(rooms.ledger, caller, "key:rotate", key=key_id[:40], overlap_hours=overlap_hours) as note:
        _reachable(rooms, caller, key_id)
        overlap = timedelta(hours=overlap_hours)
        text, key = rooms.access.keys.rotate(key_id, overlap=overlap, created_by=caller.principal.id)
        note["new_key"] = key.id
        return Issued(text, key)


def revoke_key(rooms: Rooms, caller: Caller, key_id: str) -> ApiKey:
    """Raises NotFound when there is no such key."""
    with recorded(rooms.ledger, caller, "key:revoke", key=key_id[:40]):
        rooms.access.require(caller.principal, Permission.KEY_MANAGE)
        return rooms.access.keys.revoke(key_id)


def _reachable(rooms: Rooms, caller: Caller, key_id: str) -> ApiKey:
    """A key of the caller's own program, or any for whoever manages keys; every other is not there."""
    may_all = rooms.access.may(caller.principal, Permission.KEY_MANAGE)
    if not may_all:
        rooms.access.require(caller.principal, Permission.KEY_ROTATE)
    key = rooms.access.keys.get(key_id)
    if not may_all and (caller.principal.kind != "key" or caller.principal.id != f"key_{key.program}"):
        raise NotFound(f"There is no key {key_id[:40]}.")
    return key
