"""A ledger of the first layout is carried over, entry by entry as it was sealed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from explainer.errors import StorageFailed
from explainer.ledger.chain import GENESIS, canonical, seal
from explainer.ledger.layout import VERSION
from explainer.ledger.sqlite import Filters, Ledger
from explainer.records import LedgerEntry

FIRST = """
CREATE TABLE entries (
  number INTEGER PRIMARY KEY,
  written BLOB NOT NULL,
  seal BLOB NOT NULL,
  event TEXT AS (json_extract(CAST(written AS TEXT), '$.event')),
  principal TEXT AS (json_extract(CAST(written AS TEXT), '$.principal')),
  outcome TEXT AS (json_extract(CAST(written AS TEXT), '$.outcome')),
  request_id TEXT AS (json_extract(CAST(written AS TEXT), '$.request_id'))
);
CREATE INDEX by_event ON entries (event, number);
CREATE INDEX by_principal ON entries (principal, number);
CREATE INDEX by_request ON entries (request_id);
CREATE TRIGGER no_change BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER no_removal BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER no_gap BEFORE INSERT ON entries
  WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM entries) BEGIN SELECT RAISE(ABORT, 'gap'); END;
PRAGMA user_version=1;
"""


def first_layout(path: Path, entries: int = 20) -> list[tuple[int, bytes, bytes]]:
    """A ledger as the first version of this program made it; returns its rows."""
    connection, before, rows = sqlite3.connect(path), GENESIS, []
    connection.executescript(FIRST)
    for number in range(1, entries + 1):
        written = canonical(LedgerEntry("api:x:y", f"p{number % 3}", "answered", f"r{number}", {}), "2026")
        before = seal(before, number, written)
        rows.append((number, written, before))
        connection.execute("INSERT INTO entries (number, written, seal) VALUES (?, ?, ?)", rows[-1])
    connection.commit()
    connection.close()
    return rows


def test_every_entry_is_carried_over_to_the_bit(tmp_path: Path) -> None:
    """Numbers, bytes and seals stay, the chain goes on from its head, and searches find old and new."""
    rows = first_layout(tmp_path / "ledger.db")
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.head().seal == rows[-1][2].hex()
    assert ledger.append(LedgerEntry("api:x:y", "p1", "answered", "new", {})) == 21
    assert ledger.verify().ok
    assert [r.number for r in ledger.read(filters=Filters(principal="p1"))] == [1, 4, 7, 10, 13, 16, 19, 21]
    with ledger._file.reading() as connection:
        assert connection.execute("SELECT * FROM entries WHERE number < 21").fetchall() == rows
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_it_is_append_only_afterwards(tmp_path: Path) -> None:
    """The new file refuses changes and removals as the old one did."""
    first_layout(tmp_path / "ledger.db")
    Ledger(tmp_path / "ledger.db").close()
    connection = sqlite3.connect(tmp_path / "ledger.db")
    for statement in (
        "DELETE FROM entries",
        "UPDATE entries SET seal = x'00'",
        "INSERT INTO entries VALUES (99, '', '')",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_a_broken_chain_stays_broken(tmp_path: Path) -> None:
    """Carrying a ledger over mends nothing and hides nothing: the entry that was changed is named."""
    first_layout(tmp_path / "ledger.db")
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.executescript("DROP TRIGGER no_change; UPDATE entries SET seal = x'00' WHERE number = 5")
    connection.close()
    assert Ledger(tmp_path / "ledger.db").verify().first_bad == 5


def test_the_earlier_program_refuses_the_new_file(tmp_path: Path) -> None:
    """It never begins a ledger anew: the file has its name still, and another layout."""
    from explainer.durable import DurableFile

    Ledger(tmp_path / "ledger.db").close()
    with pytest.raises(StorageFailed, match="layout 3, this program works with layout 1"):
        DurableFile(tmp_path / "ledger.db", FIRST)
