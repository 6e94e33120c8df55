"""Signing in, step by step, and out: each step that is answered or refused has one ledger entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainer.access.door import AT_SIGN_IN
from explainer.access.factors import FactorList
from explainer.access.oidc import Journey, Return
from explainer.access.passkeys import Place
from explainer.access.sessions import Origin
from explainer.records import Principal
from explainer.usecases.admit import ANONYMOUS
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`stage` is `full`, or the step that is still to come: `prove` or `set-up`."""

    token: str
    principal: Principal
    stage: str


@dataclass(frozen=True, slots=True)
class Browser:
    """Who asks, before it is known who they are; `previous` is the session that the new one takes the place of."""

    request_id: str
    address: str
    device: str = ""
    previous: str | None = None

    @property
    def origin(self) -> Origin:
        return Origin(self.address, self.device)

    @property
    def caller(self) -> Caller:
        return Caller(ANONYMOUS, self.request_id, "page")


@dataclass(frozen=True, slots=True)
class WaysIn:
    """Beside the password: what `navigator.credentials.get` needs, None without passkeys; providers by name."""

    passkey: dict[str, Any] | None
    providers: list[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """The second factors that a person has, and what the browser needs to ask for a passkey."""

    factors: FactorList
    passkey: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Welcome:
    """Whom a one-time link is for: the first administrator chooses a name, everybody else has one."""

    first: bool
    name: str


def ways_in(rooms: Rooms, place: Place | None) -> WaysIn:
    """What the sign-in page offers; nobody is asked who they are, so nothing is recorded."""
    passkey = None if place is None else rooms.access.factors.passkeys.ask(place, AT_SIGN_IN)
    return WaysIn(passkey, rooms.access.oidc.names())


def sign_in(rooms: Rooms, browser: Browser, name: str, password: str) -> SignedIn:
    """Begin a session with a password. Raises NotAuthenticated, Overloaded."""
    with recorded(rooms.ledger, browser.caller, "session:create", by="password") as note:
        token = rooms.access.sign_in(name, password, browser.origin, previous=browser.previous)
        done = _signed_in(rooms, token)
        note |= {"person": done.principal.id, "stage": done.stage}
        return done


def sign_in_with_passkey(rooms: Rooms, browser: Browser, answer: str, place: Place) -> SignedIn:
    """Begin a session with a passkey alone, which is two factors. Raises NotAuthenticated."""
    with recorded(rooms.ledger, browser.caller, "session:create", by="passkey") as note:
        token = rooms.access.door.with_passkey(answer, place, browser.origin, previous=browser.previous)
        done = _signed_in(rooms, token)
        note["person"] = done.principal.id
        return done


def go_to_provider(rooms: Rooms, browser: Browser, name: str, back: str) -> Journey:
    """Begin a sign-in at an identity provider. Raises NotFound, NotReady."""
    with recorded(rooms.ledger, browser.caller, "session:begin", by="oidc", provider=name[:40]):
        return rooms.access.oidc.begin(name, back)


def come_back(rooms: Rooms, browser: Browser, name: str, back: Return) -> SignedIn:
    """End a sign-in at an identity provider. Raises NotAuthenticated, NotPermitted, NotFound, NotReady."""
    with recorded(rooms.ledger, browser.caller, "session:create", by="oidc", provider=name[:40]) as note:
        arrival = rooms.access.oidc.finish(name, back)
        if arrival.changed:
            rooms.access.sessions.end_all(arrival.person.id)
        token = rooms.access.door.begin(
            arrival.person, browser.origin, proven=arrival.proven, previous=browser.previous
        )
        done = _signed_in(rooms, token)
        note |= {"person": done.principal.id, "stage": done.stage, "role": done.principal.role}
        return done


def look_at_invitation(rooms: Rooms, link: str) -> Welcome:
    """Say whom a link is for, without using it up. Raises NotFound for one that is not good."""
    person = rooms.access.invitations.look(link).person
    return Welcome(True, "") if person is None else Welcome(False, rooms.access.people.get(person).name)


def accept_invitation(rooms: Rooms, browser: Browser, link: str, name: str, password: str) -> SignedIn:
    """Use a one-time link up: the person has the password from now on, and is signed in so far.

    Raises NotFound for a link that is not good, InvalidOption, Conflict.
    """
    with recorded(rooms.ledger, browser.caller, "invitation:accept") as note:
        invitation, person = rooms.access.door.accept(link, name, password)
        note |= {"purpose": invitation.purpose, "person": person.id}
        return _signed_in(rooms, rooms.access.door.begin(person, browser.origin, previous=browser.previous))


def look_at_factors(rooms: Rooms, caller: Caller, token: str, place: Place | None) -> Offer | None:
    """What the page of the second factor offers; None when the session is past that. Raises NotAuthenticated."""
    with recorded(rooms.ledger, caller, "second-factor:read"):
        return offer(rooms, token, place)


def offer(rooms: Rooms, token: str, place: Place | None) -> Offer | None:
    """The same to try again, within a request that was recorded. Raises NotAuthenticated."""
    visit = rooms.access.door.visit(token)
    if visit.session.stage != "prove":
        return None
    factors = rooms.access.factors.of(visit.person.id)
    if place is None or not factors.passkeys:
        return Offer(factors, None)
    return Offer(factors, rooms.access.factors.passkeys.ask(place, visit.session.id, visit.person.id))


def prove(rooms: Rooms, caller: Caller, token: str, code: str, address: str) -> SignedIn:
    """Give the second factor as a code of the app, or a recovery code. Raises NotAuthenticated."""
    with recorded(rooms.ledger, caller, "session:prove") as note:
        full, note["by"] = rooms.access.door.prove_by_code(token, code, address)
        return _signed_in(rooms, full)


def prove_with_passkey(rooms: Rooms, caller: Caller, token: str, answer: str, place: Place) -> SignedIn:
    """Give the second factor by a passkey. Raises NotAuthenticated."""
    with recorded(rooms.ledger, caller, "session:prove", by="passkey"):
        return _signed_in(rooms, rooms.access.door.prove_by_passkey(token, answer, place))


def sign_out(rooms: Rooms, caller: Caller, token: str) -> None:
    """End the session."""
    with recorded(rooms.ledger, caller, "session:end"):
        rooms.access.sign_out(token)


def _signed_in(rooms: Rooms, token: str) -> SignedIn:
    visit = rooms.access.door.visit(token)
    person = visit.person
    principal = Principal(person.id, "person", person.role, person.name, person.models)
    return SignedIn(token, principal, visit.session.stage)
