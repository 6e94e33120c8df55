"""An insider with the ledger's file, and with its key, tries to change what happened."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from explainer.ledger.chain import GENESIS, seal
from explainer.ledger.copies import key_beside, verify_copy
from explainer.ledger.examining import Against
from explainer.ledger.merkle import Growing, leaf
from explainer.ledger.notes import Checkpoint, read_note
from explainer.ledger.signing import signer
from explainer.ledger.sqlite import Ledger
from explainer.records import LedgerEntry
from tests.ledger.tampering import KINDS, tampered

COUNT, TRIES = 150, 200


@pytest.fixture(scope="module")
def stolen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Checkpoint]:
    """A ledger with its key, and the checkpoint that somebody else keeps."""
    folder = tmp_path_factory.mktemp("insider")
    ledger = Ledger(folder / "ledger.db")
    for i in range(COUNT):
        ledger.append(LedgerEntry("api:x:y", f"p{i % 5}", "answered", f"r{i}", {"rows": i}))
    checkpoint = read_note(ledger.proofs.checkpoint().note)
    ledger.close()
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    return folder / "ledger.db", checkpoint


def test_every_random_change_is_found_and_named(stolen: tuple[Path, Checkpoint], tmp_path: Path) -> None:
    """Nine kinds of changes, each found at its first bad entry. `python -m benchmarks ledger` makes 10,000."""
    path, checkpoint = stolen
    chooser, kinds, missed = random.Random(2026), set(), []
    for _ in range(TRIES):
        with tampered(path, tmp_path / "changed.db", COUNT, chooser) as change:
            verdict = verify_copy(tmp_path / "changed.db", Against([checkpoint], key=key_beside(path)))
        kinds.add(change.kind)
        if verdict.ok or verdict.first_bad != change.first_bad:
            missed.append((change, verdict))
    assert missed == []
    assert kinds == set(KINDS)


def test_whoever_has_file_and_key_still_contradicts_a_kept_checkpoint(
    stolen: tuple[Path, Checkpoint], tmp_path: Path
) -> None:
    """The insider rewrites an entry, computes chain and tree anew, and signs it: whole by itself, seen all the same."""
    path, checkpoint = stolen
    forged = tmp_path / "ledger.db"
    for name in ("ledger.db", "ledger.key", "ledger.pub"):
        shutil.copyfile(path.parent / name, tmp_path / name)
    with closing(sqlite3.connect(forged)) as connection:
        rewrite(connection, tmp_path)
        connection.commit()
    assert verify_copy(forged, Against(key=key_beside(forged))).ok
    verdict = verify_copy(forged, Against([checkpoint], key=key_beside(forged)))
    assert not verdict.ok
    assert "differ" in verdict.detail


def rewrite(connection: sqlite3.Connection, folder: Path) -> None:
    for name in ("no_change", "no_removal", "no_gap"):
        connection.execute(f"DROP TRIGGER {name}")
    before, growing = GENESIS, Growing()
    for number, written in connection.execute("SELECT number, written FROM entries ORDER BY number").fetchall():
        told = written.replace(b'"r70"', b'"r07"')
        before = seal(before, number, told)
        growing.add(leaf(told))
        connection.execute("UPDATE entries SET written = ?, seal = ? WHERE number = ?", (told, before, number))
    connection.execute("UPDATE found SET request_id = 'r07' WHERE request_id = 'r70'")
    note = signer(folder).sign(COUNT, growing.root())
    connection.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (note, COUNT))
    connection.execute("DELETE FROM tree")
