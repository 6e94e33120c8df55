"""The door: turns a key or a session into a principal, and refuses whatever is not permitted."""

from __future__ import annotations

import hmac
from datetime import timedelta
from pathlib import Path

from explainer.access import keys, people, sessions
from explainer.access.clock import Clock, utc_now
from explainer.access.keys import Keys
from explainer.access.passwords import Passwords
from explainer.access.people import People, Person
from explainer.access.permissions import Permission
from explainer.access.roles import LOCAL, permissions_of
from explainer.access.sessions import Sessions
from explainer.durable import DurableFile
from explainer.errors import NotAuthenticated, NotFound, NotPermitted
from explainer.records import Principal


class Access:
    """Keys, people and sessions in one file. Deny by default; raises StorageFailed when the file cannot be used."""

    def __init__(
        self, path: Path, *, session_hours: float = 12.0, passwords: Passwords | None = None, clock: Clock = utc_now
    ) -> None:
        self._file = DurableFile(path, ";".join((keys.SCHEMA, people.SCHEMA, sessions.SCHEMA)))
        self.keys = Keys(self._file, clock=clock)
        self.people = People(self._file, passwords=passwords, clock=clock)
        self.sessions = Sessions(self._file, lasts=timedelta(hours=session_hours), clock=clock)

    def principal_of_bearer(self, token: str) -> Principal:
        """Raises NotAuthenticated for a key that is unknown, wrong, expired or revoked, without saying which."""
        key = self.keys.holder(token)
        if key is None:
            raise NotAuthenticated("This API key is not valid. Send `Authorization: Bearer <key>` with a current one.")
        return Principal(f"key_{key.id}", "key", key.role, key.name, key.models)

    def principal_of_session(self, token: str) -> Principal:
        """Raises NotAuthenticated when the session has ended or its person is disabled."""
        session = self.sessions.find(token)
        person = None if session is None else self._person(session.person)
        if person is None or person.disabled:
            raise NotAuthenticated("This session has ended; sign in again.")
        return Principal(person.id, "person", person.role, person.name, person.models)

    def sign_in(self, name: str, password: str, address: str, *, previous: str | None = None) -> str:
        """Return the token of a new session; the one of `previous` ends. Raises NotAuthenticated, Overloaded."""
        person = self.people.check(name, password, address)
        token, _ = self.sessions.start(person.id, address, instead_of=previous)
        return token

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

    def disable(self, person_id: str) -> None:
        """Keep the person out, at once and everywhere. Raises NotFound."""
        self.people.set_disabled(person_id, True)
        self.sessions.end_all(person_id)

    def may(self, principal: Principal | None, permission: Permission, model: str | None = None) -> bool:
        """Whether role and model grants allow it."""
        return (
            principal is not None
            and (principal.role == LOCAL) == (principal.kind == "local")
            and permission in permissions_of(principal.role)
            and (model is None or "*" in principal.models or model in principal.models)
        )

    def require(self, principal: Principal | None, permission: Permission, model: str | None = None) -> None:
        """Raises NotAuthenticated when nobody asks, NotPermitted when the role or its grants do not reach so far."""
        if principal is None or principal.kind == "anonymous":
            raise NotAuthenticated("Send `Authorization: Bearer <API key>`, or sign in.")
        if not self.may(principal, permission):
            raise NotPermitted(f"Role {principal.role!r} does not have the permission {permission.value}.")
        if not self.may(principal, permission, model):
            raise NotPermitted(f"{principal.id} has no grant for model {model!r}; ask an administrator for it.")

    def backup_to(self, path: Path) -> None:
        """Write a consistent copy to a new file."""
        self._file.backup_to(path)

    def close(self) -> None:
        self._file.close()

    def _person(self, person_id: str) -> Person | None:
        try:
            return self.people.get(person_id)
        except NotFound:
            return None
