"""The tables of a file, and the way from an earlier layout."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from explainer.durable import DurableFile
from explainer.errors import StorageFailed

FIRST = "CREATE TABLE notes (text TEXT)"
STEPS = {
    1: "ALTER TABLE notes ADD COLUMN title TEXT; UPDATE notes SET title = 'a;b'",
    2: "CREATE TABLE more (text TEXT); CREATE TRIGGER t AFTER INSERT ON more BEGIN DELETE FROM notes; SELECT 1; END",
}
THIRD = "CREATE TABLE notes (text TEXT, title TEXT)"


def old(path: Path) -> None:
    DurableFile(path, FIRST).write(lambda c: c.execute("INSERT INTO notes VALUES ('kept')"))


def test_every_step_is_taken(tmp_path: Path) -> None:
    """From the first layout to the third, with triggers and semicolons in texts; what was there is kept."""
    old(tmp_path / "x.db")
    file = DurableFile(tmp_path / "x.db", THIRD, version=3, steps=STEPS)
    with file.reading() as connection:
        assert connection.execute("SELECT text, title FROM notes").fetchall() == [("kept", "a;b")]
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger'").fetchone() == (1,)


def test_steps_are_taken_once(tmp_path: Path) -> None:
    """Opening it again changes nothing, and a new file has the newest layout at once."""
    for name in ("old.db", "new.db"):
        if name == "old.db":
            old(tmp_path / name)
        for _ in range(2):
            DurableFile(tmp_path / name, THIRD, version=3, steps=STEPS).close()


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Whole or not at all: the program that wrote it can still work with it."""
    old(tmp_path / "x.db")
    with pytest.raises(StorageFailed, match=r"x\.db"):
        DurableFile(tmp_path / "x.db", THIRD, version=3, steps={**STEPS, 2: "DROP TABLE notes; DROP TABLE nothing"})
    connection = sqlite3.connect(tmp_path / "x.db")
    assert connection.execute("SELECT * FROM notes").fetchall() == [("kept",)]
    connection.close()
    DurableFile(tmp_path / "x.db", FIRST)


@pytest.mark.parametrize(("version", "steps"), [(3, {2: STEPS[2]}), (3, {1: STEPS[1]}), (4, STEPS)])
def test_a_way_with_a_gap_is_refused(tmp_path: Path, version: int, steps: dict[int, str]) -> None:
    """Where a step is missing nothing is done, and the layouts are named."""
    old(tmp_path / "x.db")
    with pytest.raises(StorageFailed, match=f"layout 1, this program works with layout {version}"):
        DurableFile(tmp_path / "x.db", THIRD, version=version, steps=steps)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A file that a newer program wrote is not touched."""
    DurableFile(tmp_path / "x.db", THIRD, version=3)
    with pytest.raises(StorageFailed, match="layout 3, this program works with layout 1"):
        DurableFile(tmp_path / "x.db", FIRST)
