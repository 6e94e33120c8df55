"""Proves that a file of the first layout is brought to today's with everything that was in it."""

from __future__ import annotations

import multiprocessing
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from explainer.access.admit import Access
from explainer.access.layout import LAYOUT
from explainer.access.passwords import Passwords
from explainer.errors import NotAuthenticated, StorageFailed

FIRST = """
CREATE TABLE keys (
  id TEXT PRIMARY KEY, secret_sha256 BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, models TEXT NOT NULL,
  created_at TEXT NOT NULL, created_by TEXT NOT NULL, expires_at TEXT, revoked_at TEXT, last_used_at TEXT
);
CREATE TABLE people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, role TEXT NOT NULL, models TEXT NOT NULL,
  disabled INTEGER NOT NULL, created_at TEXT NOT NULL, password TEXT NOT NULL
);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, token_sha256 BLOB NOT NULL UNIQUE, person TEXT NOT NULL, address TEXT NOT NULL,
  started_at TEXT NOT NULL, seen_at TEXT NOT NULL, expires_at TEXT NOT NULL
);
PRAGMA user_version=1;
"""
SECRET = "A" * 43
KEY = f"xk_abcdefgh_{SECRET}"
NOW, LATER = "2026-11-24T12:00:00.000000+00:00", "2036-11-24T12:00:00.000000+00:00"


@pytest.fixture
def old(tmp_path: Path, cheap: Passwords) -> Path:
    """A file as the first layout's program left it."""
    path = tmp_path / "access.db"
    connection = sqlite3.connect(path)
    connection.executescript(FIRST)
    digest = sha256(SECRET.encode()).digest()
    connection.execute(
        "INSERT INTO keys VALUES (?,?,?,?,?,?,?,?,?,?)",
        ("abcdefgh", digest, "batch", "analyst", '["credit"]', NOW, "local:me", None, None, None),
    )
    stored = cheap.hash("correct horse battery")
    connection.execute(
        "INSERT INTO people VALUES (?,?,?,?,?,?,?,?)", ("usr_1", "Anna", "anna", "application", '["*"]', 0, NOW, stored)
    )
    values = ("ses_1", sha256(b"token").digest(), "usr_1", "a", NOW, NOW, LATER)
    connection.execute("INSERT INTO sessions VALUES (?,?,?,?,?,?,?)", values)
    connection.commit()
    connection.close()
    return path


def test_keys_and_people_are_kept_and_sessions_end(old: Path, cheap: Passwords) -> None:
    """The key opens with its models, the password fits; whoever was signed in signs in again, and proves more now."""
    access = Access(old, passwords=cheap)
    principal = access.principal_of_bearer(KEY)
    assert (principal.id, principal.role, principal.models) == ("key_abcdefgh", "analyst", ("credit",))
    assert access.people.check("anna", "correct horse battery", "a").id == "usr_1"
    with pytest.raises(NotAuthenticated):
        access.principal_of_session("token")
    text, key = access.keys.rotate("abcdefgh", overlap=access.sessions._idle)
    assert access.principal_of_bearer(text).id == f"key_{key.program}" == "key_abcdefgh"


def test_it_happens_once(old: Path) -> None:
    """Opening again changes nothing; the file says which layout it has."""
    Access(old).keys.revoke("abcdefgh")
    again = Access(old)
    assert [k.revoked_at is not None for k in again.keys.all()] == [True]
    with again._file.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == LAYOUT


def test_processes_that_start_together_change_it_together(old: Path) -> None:
    """Four processes open the old file at once: all get in, and it is changed once."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=Access, args=(old,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(Access(old).keys.all()) == 1


@pytest.mark.parametrize("version", [3, 99])
def test_a_file_of_a_later_program_is_refused(old: Path, version: int) -> None:
    """It is not touched."""
    connection = sqlite3.connect(old)
    connection.execute(f"PRAGMA user_version={version}")
    connection.close()
    with pytest.raises(StorageFailed, match=f"layout {version}"):
        Access(old)


def test_rubbish_is_refused(tmp_path: Path) -> None:
    """A file that is no database is named."""
    path = tmp_path / "access.db"
    path.write_bytes(b"rubbish" * 1000)
    with pytest.raises(StorageFailed, match=r"access\.db"):
        Access(path)
