"""Finds entries by event, principal, outcome or request id, in a table that is filled from the sealed bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from explainer.durable import DurableFile
from explainer.errors import StorageFailed
from explainer.ledger.chain import Link

AT_ONCE = 500  # entries filled in by one transaction: others wait for it
FIELDS = ("event", "principal", "outcome", "request_id")
NEXT = """SELECT number, written FROM entries
WHERE number > (SELECT COALESCE(MAX(number), 0) FROM found) ORDER BY number LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Exact matches; None lets everything pass."""

    event: str | None = None
    principal: str | None = None
    outcome: str | None = None
    request_id: str | None = None

    def given(self) -> dict[str, str]:
        named = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in named.items() if value is not None}


def fill(file: DurableFile) -> None:
    """Fill in what was appended since, a part at a time: others append meanwhile."""
    while file.write(_fill_some) == AT_ONCE:
        continue


def find(
    connection: sqlite3.Connection, after: int, limit: int, wanted: Mapping[str, str]
) -> list[tuple[int, bytes, bytes]]:
    """Number, bytes and seal of at most `limit` entries above `after` that the table says fit, oldest first."""
    where = "".join(f" AND f.{name} = ?" for name in wanted)
    query = (
        "SELECT e.number, e.written, e.seal FROM found f JOIN entries e ON e.number = f.number "  # noqa: S608
        f"WHERE f.number > ?{where} ORDER BY f.number LIMIT ?"
    )
    return connection.execute(query, (after, *wanted.values(), limit)).fetchall()


def misfit(connection: sqlite3.Connection, links: list[Link]) -> int | None:
    """The number of the first of these consecutive entries of which the table tells another story, if any."""
    first, last = links[0].number, links[-1].number
    query = f"SELECT number, {', '.join(FIELDS)} FROM found WHERE number BETWEEN ? AND ?"  # noqa: S608
    told = {number: fields for number, *fields in connection.execute(query, (first, last))}
    (filled,) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM found").fetchone()
    for link in links:
        if link.number <= filled and told.get(link.number) != _fields(link.written):
            return link.number
    return None


def sound(connection: sqlite3.Connection) -> bool:
    """Whether the indices of the table name each of its rows exactly once."""
    return bool(connection.execute("PRAGMA integrity_check('found')").fetchone()[0] == "ok")


def _fill_some(connection: sqlite3.Connection) -> int:
    rows = connection.execute(NEXT, (AT_ONCE,)).fetchall()
    connection.executemany(
        "INSERT INTO found (number, event, principal, outcome, request_id) VALUES (?, ?, ?, ?, ?)",
        [(number, *_readable(number, written)) for number, written in rows],
    )
    return len(rows)


def _readable(number: int, written: bytes) -> list[str]:
    try:
        return _fields(written)
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise StorageFailed(f"Ledger entry {number} is damaged: run `explainer ledger verify`.") from error


def _fields(written: bytes) -> list[str]:
    record = orjson.loads(written)
    return [record[name] for name in FIELDS]
