"""`explainer ledger`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from explainer.ledger.sqlite import Ledger
from tests.cli.conftest import Shell, run
from tests.house import House


def test_a_whole_chain_is_status_0(house: House, shell: Shell) -> None:
    """In words and as JSON, with the head that can be kept elsewhere."""
    assert shell("ledger", "verify").status == 0
    verdict = shell("ledger", "verify", "--json").json
    assert (verdict["ok"], verdict["entries"]) == (True, 1)
    assert len(verdict["head"]) == 64


def test_a_broken_chain_is_status_1(house: House, shell: Shell) -> None:
    """The first bad entry is named."""
    for _ in range(3):
        shell("ledger", "verify")
    path = house.rooms.settings.var / "ledger.db"
    house.rooms.ledger.close()
    forged = sqlite3.connect(path)
    forged.executescript("DROP TRIGGER no_removal; DELETE FROM entries WHERE number = 2;")
    forged.close()
    done = run(house.with_rooms(ledger=Ledger(path)), "ledger", "verify")
    assert done.status == 1
    assert "entry 2" in done.out


def test_a_copy_is_verified_without_a_service(house: House, shell: Shell, tmp_path: Path) -> None:
    """With the checkpoint that was kept elsewhere a cut tail is named; without it a shorter ledger is whole."""
    for _ in range(5):
        shell("ledger", "verify")
    shell("backup", str(tmp_path / "copy"))
    note = tmp_path / "kept.note"
    note.write_text(shell("ledger", "checkpoint").out)
    shell("backup", str(tmp_path / "later"))
    copy = str(tmp_path / "later" / "ledger.db")
    whole = shell("ledger", "verify", "--file", copy, "--checkpoint", str(note))
    assert (whole.status, "unbroken" in whole.out) == (0, True)
    short = shell("ledger", "verify", "--file", str(tmp_path / "copy" / "ledger.db"), "--checkpoint", str(note))
    assert (short.status, "tail is missing" in short.out) == (1, True)
    assert shell("ledger", "verify", "--file", str(tmp_path / "copy" / "ledger.db")).status == 0
    beside = str(tmp_path / "copy" / "ledger.checkpoint")
    assert shell("ledger", "verify", "--file", str(tmp_path / "copy" / "ledger.db"), "--checkpoint", beside).status == 0
    assert shell("ledger", "verify", "--checkpoint", str(note)).status == 0


def test_proofs_are_checked_without_the_ledger(house: House, shell: Shell, tmp_path: Path) -> None:
    """An entry and a beginning, against checkpoints alone; a changed proof is status 1, rubbish says what it is."""
    notes = []
    for name in ("first", "second"):
        shell("ledger", "verify")
        notes.append(tmp_path / name)
        notes[-1].write_text(shell("ledger", "checkpoint").out)
    sizes = [int(note.read_text().split("\n")[1]) for note in notes]
    key = str(house.rooms.settings.var / "ledger.pub")
    entry, beginning = tmp_path / "entry", tmp_path / "beginning"
    entry.write_text(shell("ledger", "prove", "1", "--size", str(sizes[1])).out)
    beginning.write_text(shell("ledger", "consistency", *map(str, sizes)).out)
    both = ["--checkpoint", str(notes[0]), "--checkpoint", str(notes[1]), "--key", key]
    assert (
        shell("ledger", "check", str(entry), *both).out
        == f"entry 1 is in the ledger of {sizes[1]} entries as it was signed\n"
    )
    assert shell("ledger", "check", str(beginning), *both).status == 0
    entry.write_text(entry.read_text().replace("answered", "refused!"))
    changed = shell("ledger", "check", str(entry), *both)
    assert (changed.status, "NOT" in changed.out) == (1, True)
    entry.write_text("rubbish")
    assert "not JSON" in shell("ledger", "check", str(entry), *both).err
    assert "could not be read" in shell("ledger", "check", str(tmp_path / "absent"), *both).err


def test_checkpoints_need_a_key(shell: Shell, tmp_path: Path) -> None:
    """A note that nobody can check is not taken for one, and a changed one is refused."""
    (tmp_path / "note").write_text("x")
    assert "name the file" in shell("ledger", "verify", "--checkpoint", str(tmp_path / "note")).err
    note = shell("ledger", "checkpoint").out
    lines = note.split("\n")
    (tmp_path / "note").write_text("\n".join([lines[0], str(int(lines[1]) + 1), *lines[2:]]))
    assert "does not fit" in shell("ledger", "verify", "--checkpoint", str(tmp_path / "note")).err
    assert shell("ledger", "checkpoint", "--json").json["origin"] == lines[0]
