"""The tables of people, keys and sessions, and how a file of an earlier layout becomes one of today."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from explainer.errors import StorageFailed

LAYOUT = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
  id TEXT PRIMARY KEY, secret_sha256 BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, models TEXT NOT NULL,
  created_at TEXT NOT NULL, created_by TEXT NOT NULL, expires_at TEXT, revoked_at TEXT, last_used_at TEXT,
  scopes TEXT, program TEXT NOT NULL DEFAULT '', replaces TEXT
);
CREATE TABLE IF NOT EXISTS people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, role TEXT NOT NULL, models TEXT NOT NULL,
  disabled INTEGER NOT NULL, created_at TEXT NOT NULL, password TEXT NOT NULL, subject TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS people_by_subject ON people (subject);
CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, token_sha256 BLOB NOT NULL UNIQUE, person TEXT NOT NULL, address TEXT NOT NULL,
  device TEXT NOT NULL, stage TEXT NOT NULL, started_at TEXT NOT NULL, seen_at TEXT NOT NULL, expires_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_by_person ON sessions (person);
CREATE TABLE IF NOT EXISTS attempts (
  pair BLOB PRIMARY KEY, failures INTEGER NOT NULL, seen REAL NOT NULL, until REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_age ON attempts (seen);
CREATE TABLE IF NOT EXISTS totp (
  person TEXT PRIMARY KEY, secret BLOB NOT NULL, created_at TEXT NOT NULL, confirmed_at TEXT, last_step INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS recovery_codes (
  person TEXT NOT NULL, code_sha256 BLOB NOT NULL, used_at TEXT, PRIMARY KEY (person, code_sha256)
);
CREATE TABLE IF NOT EXISTS passkeys (
  id TEXT PRIMARY KEY, person TEXT NOT NULL, name TEXT NOT NULL, public_key BLOB NOT NULL, sign_count INTEGER NOT NULL,
  created_at TEXT NOT NULL, last_used_at TEXT
);
CREATE INDEX IF NOT EXISTS passkeys_by_person ON passkeys (person);
CREATE TABLE IF NOT EXISTS spent (digest BLOB PRIMARY KEY, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS invitations (
  token_sha256 BLOB PRIMARY KEY, purpose TEXT NOT NULL, person TEXT, created_at TEXT NOT NULL, expires_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS house_secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS generation (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), number INTEGER NOT NULL);
INSERT OR IGNORE INTO generation VALUES (1, 0)
"""

# What may be remembered outside the file changes only together with the generation. New rows are not remembered.
_WATCHED = (
    ("keys", "UPDATE OF secret_sha256, name, role, models, expires_at, revoked_at, scopes, program"),
    ("keys", "DELETE"),
    ("people", "UPDATE"),
    ("people", "DELETE"),
    ("sessions", "UPDATE OF token_sha256, person, stage, expires_at"),
    ("sessions", "DELETE"),
)
SCHEMA += "".join(
    f";CREATE TRIGGER IF NOT EXISTS watch_{table}_{change.split()[0].lower()} AFTER {change} ON {table} "  # noqa: S608 - our own words
    "BEGIN UPDATE generation SET number = number + 1; END"
    for table, change in _WATCHED
)

# Sessions of layout 1 knew no second factor: everybody signs in again.
_FROM_1 = """
ALTER TABLE keys ADD COLUMN scopes TEXT;
ALTER TABLE keys ADD COLUMN program TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN replaces TEXT;
UPDATE keys SET program = id;
ALTER TABLE people ADD COLUMN subject TEXT;
DROP TABLE sessions
"""


def bring_up_to_date(path: Path) -> None:
    """Change a file of layout 1 to today's, in one transaction; any other file is left alone. Raises StorageFailed."""
    if not path.exists():
        return
    try:
        connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        try:
            if _layout(connection) == 1:
                connection.execute("BEGIN IMMEDIATE")
                if _layout(connection) == 1:  # another process may have been quicker
                    for statement in _statements(f"{_FROM_1};{SCHEMA};PRAGMA user_version={LAYOUT};"):
                        connection.execute(statement)
                connection.execute("COMMIT")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StorageFailed(f"{path} could not be brought to layout {LAYOUT}: {error}. Restore a backup.") from error


def _layout(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def _statements(script: str) -> list[str]:
    found, begun = [], ""
    for part in script.split(";"):
        begun += part + ";"
        if sqlite3.complete_statement(begun):
            found.append(begun)
            begun = ""
    return [text for text in found if text.strip(" \n;")]
