"""How people get in, step by step: a password, a passkey or a one-time link, then the second factor."""

from __future__ import annotations

import ipaddress
import sqlite3
from dataclasses import dataclass

from explainer.access.factors import Factors
from explainer.access.invitations import Invitation, Invitations
from explainer.access.passkeys import Place
from explainer.access.people import People, Person, update_person
from explainer.access.roles import DEMO, ONE_STEP
from explainer.access.sessions import Origin, Session, Sessions, Stage
from explainer.durable import DurableFile
from explainer.errors import NotAuthenticated

ENDED = "This session has ended; sign in again."
AT_SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class Visit:
    """A person's session, whichever step it has come to."""

    session: Session
    person: Person


@dataclass(frozen=True, slots=True)
class Stores:
    """What the door works with, all in one file."""

    file: DurableFile
    people: People
    sessions: Sessions
    factors: Factors
    invitations: Invitations


class Door:
    """Each way in ends in a session's token. `open_demo` lets the demo's person in by password alone, from loopback."""

    def __init__(self, stores: Stores, *, open_demo: bool = False) -> None:
        self._at = stores
        self._open_demo = open_demo

    def with_password(self, name: str, password: str, origin: Origin, *, previous: str | None = None) -> str:
        """Return the token of a session, which may wait for a second factor. Raises NotAuthenticated, Overloaded."""
        return self.begin(self._at.people.check(name, password, origin.address), origin, previous=previous)

    def begin(self, person: Person, origin: Origin, *, proven: bool = False, previous: str | None = None) -> str:
        """Start a session for somebody whose first factor was good; with `proven` for both."""
        stage: Stage = "full" if proven else self.stage_of(person, origin.address)
        return self._at.sessions.start(person.id, origin, stage=stage, instead_of=previous)[0]

    def with_passkey(self, answer: str, place: Place, origin: Origin, *, previous: str | None = None) -> str:
        """A passkey is both factors: one has the device, and it looked at who holds it. Raises NotAuthenticated."""
        passkey = self._at.factors.passkeys.check(answer, place, AT_SIGN_IN)
        person = self._at.people.known(passkey.person)
        if person is None or person.disabled:
            raise NotAuthenticated("This passkey is not known here.")
        return self.begin(person, origin, proven=True, previous=previous)

    def stage_of(self, person: Person, address: str) -> Stage:
        """What a person must still do after the first factor."""
        if self._at.factors.of(person.id).any:
            return "prove"
        return "set-up" if self.must_have_second(person, address) else "full"

    def must_have_second(self, person: Person, address: str) -> bool:
        """Whether this role needs a second factor: every one does that sees other people's rows or changes anything."""
        if person.role == DEMO:
            return not (self._open_demo and _is_loopback(address))
        return person.role not in ONE_STEP

    def visit(self, token: str) -> Visit:
        """Raises NotAuthenticated when the session has ended or its person is disabled."""
        session = self._at.sessions.find(token)
        person = None if session is None else self._at.people.known(session.person)
        if session is None or person is None or person.disabled:
            raise NotAuthenticated(ENDED)
        return Visit(session, person)

    def prove_by_code(self, token: str, code: str, address: str) -> tuple[str, str]:
        """Return the token of the full session, and `totp` or `recovery`. Raises NotAuthenticated."""
        person = self._waiting(token, "prove").person
        how = self._at.factors.spend_code(person.id, code, address)
        return self._at.sessions.promote(token)[0], how

    def prove_by_passkey(self, token: str, answer: str, place: Place) -> str:
        """Return the token of the full session. Raises NotAuthenticated."""
        visit = self._waiting(token, "prove")
        self._at.factors.passkeys.check(answer, place, visit.session.id, visit.person.id)
        return self._at.sessions.promote(token)[0]

    def set_up_done(self, token: str) -> str:
        """Return the token of the full session of somebody who has a factor now. Raises NotAuthenticated."""
        visit = self._waiting(token, "set-up")
        if not self._at.factors.of(visit.person.id).any:
            raise NotAuthenticated("Set up an authenticator app or a passkey first.")
        return self._at.sessions.promote(token)[0]

    def accept(self, token: str, name: str, password: str) -> tuple[Invitation, Person]:
        """Use a one-time link up: `name` is the first administrator's, else the person has one.

        Raises NotFound for a link that is not good, InvalidOption for a name or password, Conflict.
        """
        at = self._at
        invitation = at.invitations.look(token)
        called = name if invitation.person is None else at.people.get(invitation.person).name
        stored = at.people.hashed(password, called)

        def use(connection: sqlite3.Connection) -> str:
            at.invitations.spend_in(connection, token)
            if invitation.person is None:
                return at.people.add_first(connection, name, stored).id
            update_person(connection, invitation.person, "password", stored)
            connection.execute("DELETE FROM sessions WHERE person = ?", (invitation.person,))
            return invitation.person

        return invitation, at.people.get(at.file.write(use))

    def _waiting(self, token: str, stage: Stage) -> Visit:
        visit = self.visit(token)
        if visit.session.stage != stage:
            raise NotAuthenticated(ENDED)
        return visit


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
