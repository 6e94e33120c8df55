"""A copy is verified where it lies: whatever was changed in it is found, and the first bad entry named."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from explainer.errors import StorageFailed
from explainer.ledger.copies import key_beside, verify_copy
from explainer.ledger.examining import Against
from explainer.ledger.notes import Checkpoint, read_note
from explainer.ledger.sqlite import Ledger
from explainer.records import LedgerEntry
from tests.ledger.tampering import tampered
from tests.ledger.test_layout import first_layout

COUNT = 300


def copied(folder: Path, count: int = COUNT) -> tuple[Path, Checkpoint]:
    """A copy of a ledger of so many entries, as a backup makes it, and an earlier checkpoint over all of them."""
    ledger = Ledger(folder / "live" / "ledger.db")
    for i in range(count):
        ledger.append(LedgerEntry("api:x:y", f"p{i % 5}", "answered", f"r{i}", {"rows": i}))
    checkpoint = read_note(ledger.proofs.checkpoint().note)
    ledger._file.backup_to(folder / "ledger.db")
    ledger.close()
    (folder / "ledger.pub").write_bytes((folder / "live" / "ledger.pub").read_bytes())
    return folder / "ledger.db", checkpoint


def test_random_changes_are_all_found_and_the_first_bad_entry_named(tmp_path: Path) -> None:
    """Bit flips, cut tails, swaps, removals and insertions: each is found at its first bad entry, or the checkpoint
    that is missing names it."""
    path, checkpoint = copied(tmp_path)
    against = Against([checkpoint], key=key_beside(path))
    assert verify_copy(path, against).ok
    chooser, kinds = random.Random(11), set()
    for _ in range(120):
        with tampered(path, tmp_path / "changed.db", COUNT, chooser) as change:
            verdict = verify_copy(tmp_path / "changed.db", against)
        assert (verdict.ok, verdict.first_bad) == (False, change.first_bad), change
        kinds.add(change.kind)
    assert len(kinds) == 9


def test_nothing_is_written(tmp_path: Path) -> None:
    """Not a byte of the copy changes, and nothing appears beside it; a folder that cannot be written will do."""
    path, checkpoint = copied(tmp_path / "a", 5)
    before, names = path.read_bytes(), sorted(p.name for p in path.parent.iterdir())
    path.parent.chmod(0o500)
    try:
        assert verify_copy(path, Against([checkpoint], key=key_beside(path))).ok
    finally:
        path.parent.chmod(0o700)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == names


def test_a_ledger_in_use_is_verified_with_its_log(tmp_path: Path) -> None:
    """What is still in the log beside the file counts."""
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.append(LedgerEntry("api:x:y", "p", "answered", "r", {}))
    assert verify_copy(tmp_path / "ledger.db", Against()).entries == 1
    ledger.close()


def test_a_rewritten_ledger_is_seen_against_the_checkpoint(tmp_path: Path) -> None:
    """Whoever computes the whole chain anew, and drops what was signed, still contradicts what was kept elsewhere."""
    _, checkpoint = copied(tmp_path / "a", 20)
    other = Ledger(tmp_path / "b" / "ledger.db")
    for i in range(30):
        other.append(LedgerEntry("api:x:y", "p", "answered", f"other{i}", {}))
    other.close()
    assert verify_copy(tmp_path / "b" / "ledger.db", Against()).ok
    verdict = verify_copy(tmp_path / "b" / "ledger.db", Against([checkpoint]))
    assert (verdict.ok, verdict.first_bad) == (False, 20)
    assert "rewritten" in verdict.detail


def test_two_checkpoints_of_one_size_that_differ(tmp_path: Path) -> None:
    """Whichever the ledger fits, it was signed twice with different contents."""
    path, checkpoint = copied(tmp_path, 20)
    verdict = verify_copy(path, Against([checkpoint, Checkpoint(checkpoint.origin, 20, bytes(32))]))
    assert (verdict.ok, verdict.first_bad) == (False, 20)


def test_a_ledger_of_the_first_layout(tmp_path: Path) -> None:
    """Old copies stay verifiable as they are."""
    first_layout(tmp_path / "ledger.db")
    assert verify_copy(tmp_path / "ledger.db", Against()).entries == 20


def test_what_is_no_ledger_is_said(tmp_path: Path) -> None:
    """No file, no database, and a database of something else."""
    with pytest.raises(StorageFailed, match="no file"):
        verify_copy(tmp_path / "ledger.db", Against())
    (tmp_path / "ledger.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(StorageFailed, match="could not be read"):
        verify_copy(tmp_path / "ledger.db", Against())
    sqlite3.connect(tmp_path / "other.db").executescript("CREATE TABLE x (y)")
    with pytest.raises(StorageFailed, match="no ledger"):
        verify_copy(tmp_path / "other.db", Against())


def test_torn_pages_name_the_entry_that_cannot_be_read(tmp_path: Path) -> None:
    """A page of the file that is overwritten: the entries before it stand, the first behind it is named."""
    path, checkpoint = copied(tmp_path)
    data, page = bytearray(path.read_bytes()), 4096
    found = 0
    for number in range(2, len(data) // page):
        torn = bytearray(data)
        torn[number * page : (number + 1) * page] = bytes(page)
        (tmp_path / "torn.db").write_bytes(torn)
        try:
            verdict = verify_copy(tmp_path / "torn.db", Against([checkpoint]))
        except StorageFailed:
            found += 1
            continue
        if not verdict.ok:
            found += 1
        else:
            connection = sqlite3.connect(tmp_path / "torn.db")
            assert connection.execute("SELECT COUNT(*) FROM entries").fetchone() == (COUNT,)
            connection.close()
    assert found > 10
