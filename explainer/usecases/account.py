"""A person's own account: password, second factors and sessions, changed by themselves alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from explainer.access.door import Visit
from explainer.access.factors import FactorList
from explainer.access.passkeys import Place
from explainer.access.people import NO_FIT, Person
from explainer.access.permissions import Permission
from explainer.access.sessions import Session
from explainer.access.totp import address_for_app
from explainer.errors import Conflict, InvalidOption, NotAuthenticated
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

FRESH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Account:
    """`here` is the session that looks; `must_have_second` whether the last factor has to stay."""

    person: Person
    factors: FactorList
    sessions: list[Session]
    here: Session
    must_have_second: bool


@dataclass(frozen=True, slots=True)
class AppSetUp:
    """What an authenticator app is given: the secret to type, or the address to scan."""

    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class Changed:
    """`token` is that of the session from now on; `codes` are new recovery codes, never to be had again."""

    token: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PasskeyWish:
    """The browser's answer, and what the person calls the device."""

    name: str
    answer: str
    place: Place


def show_account(rooms: Rooms, caller: Caller, token: str) -> Account:
    with recorded(rooms.ledger, caller, "account:read"):
        visit = _own(rooms, caller, token)
        factors = rooms.access.factors.of(visit.person.id)
        sessions = rooms.access.sessions.of(visit.person.id)
        must = rooms.access.door.must_have_second(visit.person, visit.session.address)
        return Account(visit.person, factors, sessions, visit.session, must)


@dataclass(frozen=True, slots=True)
class PasswordWish:
    """The present password, the new one, and the new one again."""

    old: str
    new: str
    again: str


def change_password(rooms: Rooms, caller: Caller, token: str, wish: PasswordWish) -> Changed:
    """End all sessions and begin a new one for this browser. Raises NotAuthenticated, InvalidOption."""
    with recorded(rooms.ledger, caller, "password:change"):
        visit = _own(rooms, caller, token)
        if wish.new != wish.again:
            raise InvalidOption("password: the two new passwords are not the same.")
        _check_password(rooms, visit, wish.old)
        rooms.access.people.set_password(visit.person.id, wish.new)
        rooms.access.sessions.end_all(visit.person.id, but=visit.session.id)
        return Changed(rooms.access.sessions.promote(token)[0])


def begin_app(rooms: Rooms, caller: Caller, token: str) -> AppSetUp:
    """Return what an authenticator app needs; it counts only once `confirm_app` was given a code. Raises Conflict."""
    with recorded(rooms.ledger, caller, "totp:begin"):
        visit = _own(rooms, caller, token, changing=True)
        secret = rooms.access.factors.totp.begin(visit.person.id)
        return AppSetUp(secret, address_for_app(secret, visit.person.name))


def confirm_app(rooms: Rooms, caller: Caller, token: str, code: str) -> Changed:
    """Finish the set-up of the app. Raises InvalidOption for a wrong code."""
    with recorded(rooms.ledger, caller, "totp:create"):
        visit = _own(rooms, caller, token, changing=True)
        if not rooms.access.factors.totp.confirm(visit.person.id, code):
            raise InvalidOption("code: it is not the code that the app shows at this moment; see to its clock.")
        return _with_factor(rooms, visit, token)


def ask_passkey(rooms: Rooms, caller: Caller, token: str, place: Place) -> dict[str, object]:
    """Return what the browser needs to make a passkey. Raises NotAuthenticated."""
    with recorded(rooms.ledger, caller, "passkey:begin"):
        visit = _own(rooms, caller, token, changing=True)
        return rooms.access.factors.passkeys.ask_new(visit.person.id, visit.person.name, place, visit.session.id)


def add_passkey(rooms: Rooms, caller: Caller, token: str, wish: PasskeyWish) -> Changed:
    """Keep the passkey that the browser made. Raises InvalidOption, NotAuthenticated, Conflict."""
    with recorded(rooms.ledger, caller, "passkey:create") as note:
        visit = _own(rooms, caller, token, changing=True)
        passkeys = rooms.access.factors.passkeys
        made = passkeys.add(visit.person.id, wish.name, wish.answer, wish.place, visit.session.id)
        note["passkey"] = made.id[:16]
        return _with_factor(rooms, visit, token)


def remove_app(rooms: Rooms, caller: Caller, token: str) -> None:
    """Raises Conflict when it is the last factor and the role needs one, NotFound."""
    with recorded(rooms.ledger, caller, "totp:remove"):
        visit = _own(rooms, caller, token, changing=True)
        _not_the_last(rooms, visit)
        rooms.access.factors.totp.remove(visit.person.id)


def remove_passkey(rooms: Rooms, caller: Caller, token: str, passkey_id: str) -> None:
    """Raises Conflict when it is the last factor and the role needs one, NotFound."""
    with recorded(rooms.ledger, caller, "passkey:remove", passkey=passkey_id[:16]):
        visit = _own(rooms, caller, token, changing=True)
        if any(p.id == passkey_id for p in rooms.access.factors.of(visit.person.id).passkeys):
            _not_the_last(rooms, visit)
        rooms.access.factors.passkeys.remove(passkey_id, visit.person.id)


def renew_codes(rooms: Rooms, caller: Caller, token: str) -> Changed:
    """Return ten new recovery codes; the old ones end. Raises Conflict without a factor to recover from."""
    with recorded(rooms.ledger, caller, "recovery-codes:create"):
        visit = _own(rooms, caller, token, changing=True)
        if not rooms.access.factors.of(visit.person.id).any:
            raise Conflict("Set up an authenticator app or a passkey first.")
        return Changed(token, tuple(rooms.access.factors.recovery.renew(visit.person.id)))


def end_session(rooms: Rooms, caller: Caller, token: str, session_id: str | None) -> None:
    """End one own session, or all others. Raises NotFound."""
    with recorded(rooms.ledger, caller, "session:end", session=session_id and session_id[:40]):
        visit = _own(rooms, caller, token)
        if session_id is None:
            rooms.access.sessions.end_all(visit.person.id, but=visit.session.id)
        else:
            rooms.access.sessions.end(session_id, visit.person.id)


def _own(rooms: Rooms, caller: Caller, token: str, *, changing: bool = False) -> Visit:
    """The visit of the caller's own session; what changes a factor needs a sign-in of the last quarter of an hour."""
    rooms.access.require(caller.principal, Permission.ACCOUNT_MANAGE)
    visit = rooms.access.door.visit(token)
    if changing and datetime.now(UTC) - datetime.fromisoformat(visit.session.started_at) > FRESH:
        raise NotAuthenticated("This needs a sign-in of the last 15 minutes: sign in again.")
    return visit


def _check_password(rooms: Rooms, visit: Visit, password: str) -> None:
    try:
        rooms.access.people.check(visit.person.name, password, visit.session.address)
    except NotAuthenticated as error:
        raise NotAuthenticated(
            "The present password is not right." if error.detail == NO_FIT else error.detail
        ) from None


def _with_factor(rooms: Rooms, visit: Visit, token: str) -> Changed:
    """The first factor ends the set-up: the session becomes a full one, and there are recovery codes."""
    first = rooms.access.factors.recovery.left(visit.person.id) == 0
    codes = rooms.access.factors.recovery.renew(visit.person.id) if first else []
    kept = token if visit.session.stage == "full" else rooms.access.door.set_up_done(token)
    return Changed(kept, tuple(codes))


def _not_the_last(rooms: Rooms, visit: Visit) -> None:
    factors = rooms.access.factors.of(visit.person.id)
    last = factors.totp + len(factors.passkeys) == 1
    if last and rooms.access.door.must_have_second(visit.person, visit.session.address):
        raise Conflict("Your role needs a second factor: set up another one before you remove the last.")
