"""One random change in a copy of a ledger, as somebody with the file makes it, and the entry that has to be named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from explainer.ledger.chain import seal

KINDS = (
    *("flip-written", "flip-seal", "flip-number", "truncate", "swap", "remove", "remove-renumber"),
    *("insert", "insert-sealed"),
)
MOVE = "UPDATE entries SET number = -number WHERE number > ?"
BACK = "UPDATE entries SET number = -number + ? WHERE number < 0"


@dataclass(frozen=True)
class Change:
    kind: str
    number: int
    first_bad: int


@contextmanager
def tampered(source: Path, target: Path, count: int, chooser: random.Random) -> Iterator[Change]:
    """Make a changed copy at `target` of a ledger of `count` entries."""
    shutil.copyfile(source, target)
    with closing(sqlite3.connect(target)) as connection:
        for name in ("no_change", "no_removal", "no_gap"):
            connection.execute(f"DROP TRIGGER {name}")
        change = _change(connection, chooser.choice(KINDS), count, chooser)
        connection.commit()
    yield change


def _change(connection: sqlite3.Connection, kind: str, count: int, chooser: random.Random) -> Change:
    number = chooser.randrange(2, count)
    if kind in {"flip-written", "flip-seal"}:
        column = kind.removeprefix("flip-")
        (found,) = connection.execute(f"SELECT {column} FROM entries WHERE number = ?", (number,)).fetchone()
        connection.execute(f"UPDATE entries SET {column} = ? WHERE number = ?", (flipped(found, chooser), number))
        return Change(kind, number, number)
    if kind == "flip-number":
        other = number ^ (1 << chooser.choice([9, 20, 40]))
        connection.execute("UPDATE entries SET number = ? WHERE number = ?", (other, number))
        return Change(kind, number, number)
    if kind == "truncate":
        connection.execute("DELETE FROM entries WHERE number > ?", (number,))
        connection.execute("DELETE FROM found WHERE number > ?", (number,))
        connection.execute("DELETE FROM checkpoints")
        return Change(kind, number, number + 1)
    if kind == "swap":
        return _swap(connection, count, chooser)
    if kind.startswith("remove"):
        connection.execute("DELETE FROM entries WHERE number = ?", (number,))
        if kind == "remove-renumber":
            connection.execute(MOVE, (number,))
            connection.execute(BACK, (-1,))
        return Change(kind, number, number)
    return _insert(connection, kind, number)


def _swap(connection: sqlite3.Connection, count: int, chooser: random.Random) -> Change:
    first, second = sorted(chooser.sample(range(1, count + 1), 2))
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute("UPDATE entries SET number = ? WHERE number = ?", (new, old))
    return Change("swap", first, first)


def _insert(connection: sqlite3.Connection, kind: str, number: int) -> Change:
    """A forged entry before `number`; sealed so that it continues its past, or with a seal that fits nothing."""
    (before,) = connection.execute("SELECT seal FROM entries WHERE number = ?", (number - 1,)).fetchone()
    (written,) = connection.execute("SELECT written FROM entries WHERE number = ?", (number,)).fetchone()
    forged = written.replace(b'"answered"', b'"refused!"')
    sealed = seal(before, number, forged) if kind == "insert-sealed" else bytes(32)
    connection.execute(MOVE, (number - 1,))
    connection.execute(BACK, (1,))
    connection.execute("INSERT INTO entries (number, written, seal) VALUES (?, ?, ?)", (number, forged, sealed))
    return Change(kind, number, number)


def flipped(data: bytes, chooser: random.Random) -> bytes:
    at = chooser.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chooser.randrange(8))]) + data[at + 1 :]
