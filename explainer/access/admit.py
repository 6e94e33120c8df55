"""The door: turns a key, a token or a session into a principal, and refuses whatever is not permitted."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from explainer.access import sessions
from explainer.access.clock import Clock, utc_now
from explainer.access.door import Door, Stores
from explainer.access.factors import Factors
from explainer.access.invitations import Invitations
from explainer.access.keys import Keys
from explainer.access.layout import LAYOUT, SCHEMA, bring_up_to_date
from explainer.access.oidc import OidcSignIn
from explainer.access.passwords import Passwords
from explainer.access.people import People
from explainer.access.permissions import Permission
from explainer.access.providers import Provider
from explainer.access.roles import LOCAL, permissions_of
from explainer.access.sessions import Origin, Sessions
from explainer.access.throttle import Throttle
from explainer.access.tokens import Tokens
from explainer.access.totp import Seal
from explainer.access.watch import Watch
from explainer.durable import DurableFile
from explainer.errors import NotAuthenticated, NotPermitted, SecondFactorNeeded
from explainer.records import Principal


@dataclass(frozen=True, slots=True)
class Scoped(Principal):
    """A principal that has only some of its role's permissions."""

    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """What the owner of the house chooses about ways in.

    `open_demo` lets the demo's person in by password alone, from loopback only; `seal` seals the secrets in the file;
    `providers` are the identity providers that are trusted.
    """

    idle: timedelta = timedelta(hours=1)
    open_demo: bool = False
    seal: Seal | None = None
    providers: tuple[Provider, ...] = ()


DEFAULTS = Choices()


class Access:
    """Keys, people and sessions in one file. Deny by default; raises StorageFailed when the file cannot be used."""

    def __init__(
        self,
        path: Path,
        *,
        session_hours: float = 12.0,
        choices: Choices = DEFAULTS,
        passwords: Passwords | None = None,
        clock: Clock = utc_now,
    ) -> None:
        bring_up_to_date(path)
        self._file = DurableFile(path, SCHEMA, version=LAYOUT)
        self._watch = watch = Watch(self._file)
        throttle = Throttle(self._file, clock=lambda: clock().timestamp())
        self.keys = Keys(self._file, watch=watch, clock=clock)
        self.people = People(self._file, passwords=passwords, throttle=throttle, watch=watch, clock=clock)
        lasts = timedelta(hours=session_hours)
        self.sessions = Sessions(self._file, lasts=lasts, idle=choices.idle, watch=watch, clock=clock)
        self.factors = Factors(self._file, throttle, seal=choices.seal, clock=clock)
        self.invitations = Invitations(self._file, clock=clock)
        stores = Stores(self._file, self.people, self.sessions, self.factors, self.invitations)
        self.door = Door(stores, open_demo=choices.open_demo)
        self.tokens = Tokens(choices.providers, clock=lambda: clock().timestamp())
        self.oidc = OidcSignIn(self.tokens, self.people, self.factors.challenges)

    def principal_of_bearer(self, token: str) -> Principal:
        """Raises NotAuthenticated for a key or token that is unknown, wrong, expired or revoked."""
        if "." in token:  # no key has a dot, every signed token has two
            return self.tokens.principal(token)
        key = self.keys.holder(token)
        if key is None:
            raise NotAuthenticated("This API key is not valid. Send `Authorization: Bearer <key>` with a current one.")
        identity = f"key_{key.program}"
        if key.scopes is None:
            return Principal(identity, "key", key.role, key.name, key.models)
        return Scoped(identity, "key", key.role, key.name, key.models, key.scopes)

    def principal_of_session(self, token: str) -> Principal:
        """Raises NotAuthenticated when the session has ended or its person is disabled.

        Raises SecondFactorNeeded while it waits for that: then it is worth nothing else.
        """
        visit = self.door.visit(token)
        if visit.session.stage == "prove":
            raise SecondFactorNeeded("Give the second factor first.", step="prove")
        if visit.session.stage != "full":
            raise SecondFactorNeeded("Set up a second factor first; your role needs one.", step="set-up")
        person = visit.person
        return Principal(person.id, "person", person.role, person.name, person.models)

    def sign_in(self, name: str, password: str, origin: Origin | str, *, previous: str | None = None) -> str:
        """Return the token of a new session; the one of `previous` ends. Raises NotAuthenticated, Overloaded."""
        at = Origin(origin) if isinstance(origin, str) else origin
        return self.door.with_password(name, password, at, previous=previous)

    def sign_out(self, token: str) -> None:
        self.sessions.end_token(token)

    def csrf_token(self, token: str) -> str:
        """Return what every form of this session must carry."""
        return sessions.csrf_token(token)

    def csrf_fits(self, token: str, given: str) -> bool:
        return hmac.compare_digest(sessions.csrf_token(token).encode(), given.encode("utf-8", "replace"))

    def change_password(self, person_id: str, password: str) -> None:
        """Set a new password and end all sessions of the person. Raises InvalidOption, NotFound."""
        self.people.set_password(person_id, password)
        self.sessions.end_all(person_id)

    def change_role(self, person_id: str, role: str, models: Sequence[str] | None = None) -> None:
        """Give other rights, and end all sessions: what is permitted anew needs a new sign-in. Raises InvalidOption."""
        self.people.set_role(person_id, role, models)
        self.sessions.end_all(person_id)

    def disable(self, person_id: str) -> None:
        """Keep the person out, at once and everywhere. Raises NotFound."""
        self.people.set_disabled(person_id, True)
        self.sessions.end_all(person_id)

    def may(self, principal: Principal | None, permission: Permission, model: str | None = None) -> bool:
        """Whether role, scopes and model grants allow it."""
        return (
            principal is not None
            and (principal.role == LOCAL) == (principal.kind == "local")
            and permission in permissions_of(principal.role)
            and (not isinstance(principal, Scoped) or permission.value in principal.scopes)
            and (model is None or "*" in principal.models or model in principal.models)
        )

    def require(self, principal: Principal | None, permission: Permission, model: str | None = None) -> None:
        """Raises NotAuthenticated when nobody asks, NotPermitted when the role or its grants do not reach so far."""
        if principal is None or principal.kind == "anonymous":
            raise NotAuthenticated("Send `Authorization: Bearer <API key>`, or sign in.")
        if not self.may(principal, permission):
            whose = "This key's scopes do" if isinstance(principal, Scoped) else f"Role {principal.role!r} does"
            raise NotPermitted(f"{whose} not have the permission {permission.value}.")
        if not self.may(principal, permission, model):
            raise NotPermitted(f"{principal.id} has no grant for model {model!r}; ask an administrator for it.")

    def backup_to(self, path: Path) -> None:
        """Write a consistent copy to a new file."""
        self._file.backup_to(path)

    def close(self) -> None:
        self._watch.close()
        self._file.close()
