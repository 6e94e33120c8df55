"""The ledger's tables, and how a file of an earlier layout is brought up to date without touching an entry."""

from __future__ import annotations

from pathlib import Path

from explainer.durable import DurableFile
from explainer.ledger.tree import SCHEMA as TREE

VERSION = 3
TRIGGERS = """
CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are never changed'); END;
CREATE TRIGGER IF NOT EXISTS no_removal BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are never removed'); END;
CREATE TRIGGER IF NOT EXISTS no_gap BEFORE INSERT ON entries
  WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM entries)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry takes the next number'); END
"""
# What is searched stands apart and is filled in later, many entries at a time: an entry that is appended then dirties
# one page instead of four. `verify` compares it with the sealed bytes.
SEARCH = """
CREATE TABLE IF NOT EXISTS found (
  number INTEGER PRIMARY KEY, event TEXT NOT NULL, principal TEXT NOT NULL, outcome TEXT NOT NULL,
  request_id TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_event ON found (event, number);
CREATE INDEX IF NOT EXISTS by_principal ON found (principal, number);
CREATE INDEX IF NOT EXISTS by_request ON found (request_id)
"""
ENTRIES = """
CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, written BLOB NOT NULL, seal BLOB NOT NULL)
"""
SCHEMA = ";".join((ENTRIES, SEARCH, TREE, TRIGGERS))
# The first layout had its indices on columns computed from each entry.
WITHOUT_COLUMNS = ";".join(
    [f"DROP TRIGGER IF EXISTS {name}" for name in ("no_change", "no_removal", "no_gap")]
    + [f"DROP INDEX IF EXISTS {name}" for name in ("by_event", "by_principal", "by_request")]
    + [f"ALTER TABLE entries DROP COLUMN {name}" for name in ("event", "principal", "outcome", "request_id")]
)
STEPS = {1: ";".join((WITHOUT_COLUMNS, SEARCH, TRIGGERS)), 2: TREE}


def open_file(path: Path) -> DurableFile:
    """Open or create the file that holds the ledger, and whatever is to be written together with an entry."""
    return DurableFile(path, SCHEMA, version=VERSION, steps=STEPS)
