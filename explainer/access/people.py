"""People with a name, a password and a role."""

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
from explainer.durable import DurableFile
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound

SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, role TEXT NOT NULL, models TEXT NOT NULL,
  disabled INTEGER NOT NULL, created_at TEXT NOT NULL, password TEXT NOT NULL
)
"""
COLUMNS = "id, name, role, models, disabled, created_at"


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    role: str
    models: tuple[str, ...]
    disabled: bool
    created_at: str


class People:
    """All methods raise StorageFailed when the file cannot be read or written."""

    def __init__(
        self,
        file: DurableFile,
        *,
        passwords: Passwords | None = None,
        throttle: Throttle | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._file = file
        self._passwords = passwords or Passwords()
        self._throttle = throttle or Throttle()
        self._clock = clock

    def add(self, name: str, password: str, role: str, *, models: Sequence[str] = ("*",)) -> Person:
        """Raises InvalidOption for a bad name, password or role, Conflict when the name is taken.

        Names are compared without regard to case and to Unicode's compatible forms.
        """
        shown = unicodedata.normalize("NFC", name).strip()
        if not 1 <= len(shown) <= 200 or not shown.isprintable():
            raise InvalidOption("name: use 1 to 200 printable characters.")
        identity = "usr_" + secrets.token_hex(8)
        person = Person(identity, shown, known_role(role), tuple(models), False, written(self._clock()))
        stored = self._passwords.hash(password)

        def insert(connection: sqlite3.Connection) -> None:
            if connection.execute("SELECT 1 FROM people WHERE folded = ?", (_folded(shown),)).fetchone():
                raise Conflict(f"There is already a person named {shown!r}; choose another name.")
            values = (identity, shown, person.role, orjson.dumps(person.models).decode(), 0, person.created_at)
            connection.execute(
                f"INSERT INTO people ({COLUMNS}, folded, password) VALUES (?,?,?,?,?,?,?,?)",  # noqa: S608
                (*values, _folded(shown), stored),
            )

        self._file.write(insert)
        return person

    def check(self, name: str, password: str, address: str) -> Person:
        """Return the person whose password this is.

        Raises NotAuthenticated with one and the same message for an unknown name, a wrong password and a disabled
        person, after the same work; and with the time to wait after too many failures from this address.
        """
        folded = _folded(name)
        self._throttle.attempt(folded, address)
        with self._file.reading() as connection:
            row = connection.execute(
                f"SELECT {COLUMNS}, password FROM people WHERE folded = ?",  # noqa: S608
                (folded,),
            ).fetchone()
        stored = None if row is None else row[-1]
        if not self._passwords.verify(stored, password) or row is None or row[4]:
            raise NotAuthenticated("Name and password do not fit together.")
        self._throttle.succeeded(folded, address)
        if self._passwords.outdated(row[-1]):
            self._update(row[0], "password", self._passwords.hash(password))
        return _person(row[:-1])

    def get(self, person_id: str) -> Person:
        """Raises NotFound."""
        return self._find("id", person_id)

    def named(self, name: str) -> Person:
        """Raises NotFound."""
        return self._find("folded", _folded(name))

    def all(self) -> list[Person]:
        """Return everybody, disabled people included, oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT {COLUMNS} FROM people ORDER BY created_at, id").fetchall()  # noqa: S608
        return [_person(row) for row in rows]

    def set_password(self, person_id: str, password: str) -> None:
        """Raises InvalidOption for a password of the wrong length, NotFound."""
        self._update(person_id, "password", self._passwords.hash(password))

    def set_role(self, person_id: str, role: str) -> None:
        """Raises InvalidOption for an unknown role, NotFound."""
        self._update(person_id, "role", known_role(role))

    def set_disabled(self, person_id: str, disabled: bool) -> None:
        """Raises NotFound."""
        self._update(person_id, "disabled", int(disabled))

    def _find(self, column: str, value: str) -> Person:
        with self._file.reading() as connection:
            query = f"SELECT {COLUMNS} FROM people WHERE {column} = ?"  # noqa: S608
            row = connection.execute(query, (value,)).fetchone()
        if row is None:
            raise NotFound(f"There is no person {value!r}.")
        return _person(row)

    def _update(self, person_id: str, column: str, value: str | int) -> None:
        def change(connection: sqlite3.Connection) -> None:
            query = f"UPDATE people SET {column} = ? WHERE id = ?"  # noqa: S608
            if connection.execute(query, (value, person_id)).rowcount == 0:
                raise NotFound(f"There is no person {person_id!r}.")

        self._file.write(change)


def _folded(name: str) -> str:
    plain = name.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).strip().casefold())


def _person(row: Any) -> Person:
    person_id, name, role, models, disabled, created_at = row
    return Person(person_id, name, role, tuple(orjson.loads(models)), bool(disabled), created_at)
