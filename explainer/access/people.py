"""People with a name, a role, and a password or an identity elsewhere."""

from __future__ import annotations

import secrets
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from explainer.access.clock import Clock, utc_now, written
from explainer.access.passwords import Passwords
from explainer.access.roles import known_role
from explainer.access.throttle import Throttle
from explainer.access.watch import Remembered, Watch
from explainer.durable import DurableFile
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound

COLUMNS = "id, name, role, models, disabled, created_at, subject"
NO_FIT = "Name and password do not fit together."
NO_PASSWORD = ""  # as a stored hash: nothing that is typed fits


@dataclass(frozen=True, slots=True)
class Person:
    """`subject` is who the person is to an identity provider, None for those who are known here only."""

    id: str
    name: str
    role: str
    models: tuple[str, ...]
    disabled: bool
    created_at: str
    subject: str | None = None


class People:
    """All methods raise StorageFailed when the file cannot be read or written."""

    def __init__(
        self,
        file: DurableFile,
        *,
        passwords: Passwords | None = None,
        throttle: Throttle | None = None,
        watch: Watch | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._file = file
        self._passwords = passwords or Passwords()
        self._throttle = throttle or Throttle(file)
        self._clock = clock
        self._known: Remembered[str, Person] = Remembered(watch or Watch(file), self._stored)

    def add(
        self,
        name: str,
        password: str | None,
        role: str,
        *,
        models: Sequence[str] = ("*",),
        subject: str | None = None,
    ) -> Person:
        """Add somebody; without a password they get in by a one-time link or by their identity provider.

        Raises InvalidOption for a bad name, password or role, Conflict when the name is taken. Names are compared
        without regard to case and to Unicode's compatible forms.
        """
        person = self._new(name, role, models, subject)
        stored = NO_PASSWORD if password is None else self._passwords.hash(password, person.name)
        self._file.write(lambda connection: insert_person(connection, person, stored))
        return person

    def add_first(self, connection: sqlite3.Connection, name: str, stored: str) -> Person:
        """Inside a write: make the first administrator. Raises Conflict when there is one."""
        query = "SELECT 1 FROM people WHERE role = 'administrator' AND disabled = 0"
        if connection.execute(query).fetchone():
            raise Conflict("There is an administrator already; ask them for a sign-in.")
        person = self._new(name, "administrator", ("*",), None)
        insert_person(connection, person, stored)
        return person

    def check(self, name: str, password: str, address: str) -> Person:
        """Return the person whose password this is.

        Raises NotAuthenticated with one and the same message for an unknown name, a wrong password and a disabled
        person, after the same work; and with the time to wait after too many failures from this address.
        """
        folded = _folded(name)
        self._throttle.attempt("password", folded, address)
        with self._file.reading() as connection:
            row = connection.execute(
                f"SELECT {COLUMNS}, password FROM people WHERE folded = ?",  # noqa: S608
                (folded,),
            ).fetchone()
        stored = None if row is None else row[-1] or None
        if not self._passwords.verify(stored, password) or row is None or row[4]:
            raise NotAuthenticated(NO_FIT)
        self._throttle.succeeded("password", folded, address)
        if self._passwords.outdated(row[-1]):
            self._update(row[0], "password", self._passwords.hash_again(password))
        return _person(row[:-1])

    def known(self, person_id: str) -> Person | None:
        """Return the person as they are at this moment, without reading the file where nothing changed."""
        return self._known.get(person_id)

    def get(self, person_id: str) -> Person:
        """Raises NotFound."""
        return self._find("id", person_id)

    def named(self, name: str) -> Person:
        """Raises NotFound."""
        return self._find("folded", _folded(name))

    def of_subject(self, subject: str) -> Person | None:
        """Return who an identity provider calls so."""
        try:
            return self._find("subject", subject)
        except NotFound:
            return None

    def all(self) -> list[Person]:
        """Return everybody, disabled people included, oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT {COLUMNS} FROM people ORDER BY created_at, id").fetchall()  # noqa: S608
        return [_person(row) for row in rows]

    def hashed(self, password: str, name: str) -> str:
        """Return what is stored of a new password. Raises InvalidOption for one that is too easy to guess."""
        return self._passwords.hash(password, name)

    def set_password(self, person_id: str, password: str) -> None:
        """Raises InvalidOption for a password that is too easy to guess, NotFound."""
        self._update(person_id, "password", self.hashed(password, self.get(person_id).name))

    def set_role(self, person_id: str, role: str, models: Sequence[str] | None = None) -> None:
        """Give another role, and other models where they are named. Raises InvalidOption, NotFound."""
        self._update(person_id, "role", known_role(role))
        if models is not None:
            self._update(person_id, "models", orjson.dumps(tuple(models)).decode())

    def set_disabled(self, person_id: str, disabled: bool) -> None:
        """Raises NotFound."""
        self._update(person_id, "disabled", int(disabled))

    def _new(self, name: str, role: str, models: Sequence[str], subject: str | None) -> Person:
        shown = unicodedata.normalize("NFC", name).strip()
        if not 1 <= len(shown) <= 200 or not shown.isprintable():
            raise InvalidOption("name: use 1 to 200 printable characters.")
        identity = "usr_" + secrets.token_hex(8)
        return Person(identity, shown, known_role(role), tuple(models), False, written(self._clock()), subject)

    def _stored(self, person_id: str) -> Person | None:
        try:
            return self.get(person_id)
        except NotFound:
            return None

    def _find(self, column: str, value: str) -> Person:
        with self._file.reading() as connection:
            query = f"SELECT {COLUMNS} FROM people WHERE {column} = ?"  # noqa: S608
            row = connection.execute(query, (value,)).fetchone()
        if row is None:
            raise NotFound(f"There is no person {value[:200]!r}.")
        return _person(row)

    def _update(self, person_id: str, column: str, value: str | int) -> None:
        self._file.write(lambda connection: update_person(connection, person_id, column, value))


def insert_person(connection: sqlite3.Connection, person: Person, stored: str) -> None:
    """Raises Conflict when the name or the subject is taken."""
    folded = _folded(person.name)
    if connection.execute("SELECT 1 FROM people WHERE folded = ?", (folded,)).fetchone():
        raise Conflict(f"There is already a person named {person.name!r}; choose another name.")
    models = orjson.dumps(person.models).decode()
    values = (person.id, person.name, person.role, models, int(person.disabled), person.created_at, person.subject)
    connection.execute(
        f"INSERT INTO people ({COLUMNS}, folded, password) VALUES (?,?,?,?,?,?,?,?,?)",  # noqa: S608
        (*values, folded, stored),
    )


def update_person(connection: sqlite3.Connection, person_id: str, column: str, value: str | int) -> None:
    """Raises NotFound."""
    query = f"UPDATE people SET {column} = ? WHERE id = ?"  # noqa: S608
    if connection.execute(query, (value, person_id)).rowcount == 0:
        raise NotFound(f"There is no person {person_id[:40]!r}.")


def _folded(name: str) -> str:
    plain = name.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).strip().casefold())


def _person(row: Any) -> Person:
    person_id, name, role, models, disabled, created_at, subject = row
    return Person(person_id, name, role, tuple(orjson.loads(models)), bool(disabled), created_at, subject)
