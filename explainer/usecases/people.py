"""Who may come in: people, added, changed and kept out by those who may, never by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from explainer.access.factors import FactorList
from explainer.access.people import Person
from explainer.access.permissions import Permission
from explainer.access.sessions import Session
from explainer.errors import NotPermitted
from explainer.usecases.recording import Note, recorded
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class PersonWish:
    """`models` by exact name, or `*` for all."""

    name: str
    role: str
    models: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Invited:
    """`link` is the one-time link's token, never to be had again."""

    person: Person
    link: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    person: Person
    factors: FactorList
    sessions: list[Session]


def list_people(rooms: Rooms, caller: Caller) -> list[Person]:
    with recorded(rooms.ledger, caller, "user:list"):
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        return rooms.access.people.all()


def show_person(rooms: Rooms, caller: Caller, person_id: str) -> PersonPage:
    """Raises NotFound."""
    with recorded(rooms.ledger, caller, "user:read", person=person_id[:40]):
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        person = rooms.access.people.get(person_id)
        return PersonPage(person, rooms.access.factors.of(person.id), rooms.access.sessions.of(person.id))


def add_person(rooms: Rooms, caller: Caller, name: str, password: str, role: str) -> Person:
    """Raises InvalidOption for a weak password or an unknown role, Conflict when the name is taken."""
    with recorded(rooms.ledger, caller, "user:create", role=role) as note:
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        person = rooms.access.people.add(name, password, role)
        note["person"] = person.id
        return person


def invite_person(rooms: Rooms, caller: Caller, wish: PersonWish) -> Invited:
    """Add somebody who chooses their own password by a one-time link. Raises InvalidOption, Conflict."""
    with recorded(rooms.ledger, caller, "user:create", role=wish.role) as note:
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        person = rooms.access.people.add(wish.name, None, wish.role, models=wish.models)
        note["person"] = person.id
        return Invited(person, rooms.access.invitations.make("choose-password", person.id))


def invite_first(rooms: Rooms, caller: Caller) -> str | None:
    """Return the one-time link that makes the first administrator, None where anybody is there already."""
    if rooms.access.people.all():
        return None
    with recorded(rooms.ledger, caller, "invitation:create", purpose="first-administrator"):
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        return rooms.access.invitations.make("first-administrator")


def invite_again(rooms: Rooms, caller: Caller, person_id: str) -> str:
    """Return a one-time link by which the person chooses a new password. Raises NotFound, NotPermitted for oneself."""
    with _changing(rooms, caller, "password:reset", person_id):
        return rooms.access.invitations.make("choose-password", person_id)


def change_role(rooms: Rooms, caller: Caller, person_id: str, role: str, models: tuple[str, ...]) -> None:
    """Give another role and grants; all sessions end. Raises InvalidOption, NotFound, NotPermitted for oneself."""
    with _changing(rooms, caller, "user:change", person_id) as note:
        note["role"] = role
        rooms.access.change_role(person_id, role, models)


def forget_factors(rooms: Rooms, caller: Caller, person_id: str) -> None:
    """Take lost second factors away; all sessions end. Raises NotFound, NotPermitted for oneself."""
    with _changing(rooms, caller, "second-factor:reset", person_id):
        rooms.access.factors.forget(person_id)
        rooms.access.sessions.end_all(person_id)


def set_state(rooms: Rooms, caller: Caller, person_id: str, *, disabled: bool) -> None:
    """Keep a person out, at once and everywhere, or let them in again. Raises NotFound, NotPermitted for oneself."""
    with _changing(rooms, caller, "user:disable" if disabled else "user:enable", person_id):
        if disabled:
            rooms.access.disable(person_id)
        else:
            rooms.access.people.set_disabled(person_id, False)


def end_sessions(rooms: Rooms, caller: Caller, person_id: str, session_id: str | None) -> None:
    """End one session of a person, or all. Raises NotFound."""
    with recorded(rooms.ledger, caller, "session:end", person=person_id[:40]):
        rooms.access.require(caller.principal, Permission.SESSION_MANAGE)
        person = rooms.access.people.get(person_id)
        if session_id is None:
            rooms.access.sessions.end_all(person.id)
        else:
            rooms.access.sessions.end(session_id, person.id)


@contextmanager
def _changing(rooms: Rooms, caller: Caller, event: str, person_id: str) -> Iterator[Note]:
    with recorded(rooms.ledger, caller, event, person=person_id[:40]) as note:
        rooms.access.require(caller.principal, Permission.USER_MANAGE)
        _not_oneself(caller, rooms.access.people.get(person_id).id)
        yield note


def _not_oneself(caller: Caller, person_id: str) -> None:
    # Separation of duties: whoever gives rights does not give them to themselves.
    if caller.principal.id == person_id:
        raise NotPermitted("Nobody changes their own rights; ask another administrator.")
