"""Receipts of a file of their own, as there once was, are taken in whole."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from explainer.durable import DurableFile
from explainer.errors import StorageFailed
from explainer.receipts.earlier import AT_ONCE
from explainer.receipts.store import SCHEMA, ReceiptStore
from explainer.receipts.written import checksum, record_of
from explainer.records import ExplainOptions, Receipt
from tests.receipts.test_store import COHORT, receipt

FIRST = """
CREATE TABLE receipts (
  id TEXT PRIMARY KEY, created_at TEXT NOT NULL, principal TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  model_digest TEXT NOT NULL, options BLOB NOT NULL, row BLOB NOT NULL, answer BLOB NOT NULL,
  answer_sha256 TEXT NOT NULL, checksum BLOB NOT NULL
);
CREATE TABLE backgrounds (digest TEXT PRIMARY KEY, features INTEGER NOT NULL, data BLOB NOT NULL)
"""


def earlier_file(path: Path, receipts: list[Receipt]) -> None:
    """The file that the first version of this program kept, its log not yet tidied away."""
    file = DurableFile(path, FIRST)

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO backgrounds VALUES (?,?,?)", (COHORT.digest, COHORT.features, COHORT.data))
        rows = [(*record_of(r), checksum(record_of(r))) for r in receipts]
        connection.executemany("INSERT INTO receipts VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)

    file.write(insert)


def records(tmp_path: Path) -> DurableFile:
    return DurableFile(tmp_path / "ledger.db", SCHEMA)


def test_every_receipt_is_taken_in_and_the_file_removed(tmp_path: Path) -> None:
    """All come back as they were, rows as background included, and lie in one place only."""
    made = [receipt() for _ in range(AT_ONCE + 3)] + [receipt(options=ExplainOptions(background=COHORT))]
    earlier_file(tmp_path / "receipts.db", made)
    store = ReceiptStore(records(tmp_path), earlier=tmp_path / "receipts.db")
    assert [store.get(r.id) for r in made] == made
    assert not list(tmp_path.glob("receipts.db*"))
    again = ReceiptStore(records(tmp_path), earlier=tmp_path / "receipts.db")
    assert again.get(made[0].id) == made[0]


def test_what_was_cut_short_is_done_again(tmp_path: Path) -> None:
    """Receipts that are there already, from an attempt that did not end, are no hindrance."""
    made = [receipt() for _ in range(5)]
    store = ReceiptStore(records(tmp_path))
    store.put_many(made[:2])
    earlier_file(tmp_path / "receipts.db", made)
    store = ReceiptStore(records(tmp_path), earlier=tmp_path / "receipts.db")
    assert [store.get(r.id) for r in made] == made


def test_a_damaged_receipt_stays_damaged(tmp_path: Path) -> None:
    """It is taken in as it is and refused when it is read, like before."""
    made = [receipt(), receipt()]
    earlier_file(tmp_path / "receipts.db", made)
    connection = sqlite3.connect(tmp_path / "receipts.db")
    connection.execute("UPDATE receipts SET principal = 'x' WHERE id = ?", (made[0].id,))
    connection.commit()
    connection.close()
    store = ReceiptStore(records(tmp_path), earlier=tmp_path / "receipts.db")
    assert store.get(made[1].id) == made[1]
    with pytest.raises(StorageFailed, match="damaged"):
        store.get(made[0].id)


def test_another_receipt_of_the_same_id_stops_it(tmp_path: Path) -> None:
    """Nothing is overwritten, nothing is dropped: both files are left for somebody to look at."""
    one = receipt()
    ReceiptStore(records(tmp_path)).put_many([one])
    earlier_file(tmp_path / "receipts.db", [receipt(id=one.id, principal="somebody else")])
    with pytest.raises(StorageFailed, match="already"):
        ReceiptStore(records(tmp_path), earlier=tmp_path / "receipts.db")
    assert (tmp_path / "receipts.db").exists()


def test_a_file_of_another_kind_is_refused_and_left(tmp_path: Path) -> None:
    """Rubbish and a layout that is not known are named, never removed."""
    (tmp_path / "receipts.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(StorageFailed, match=r"receipts\.db"):
        ReceiptStore(records(tmp_path), earlier=tmp_path / "receipts.db")
    assert (tmp_path / "receipts.db").read_bytes().startswith(b"rubbish")
    DurableFile(tmp_path / "other.db", FIRST, version=7)
    with pytest.raises(StorageFailed, match="layout 7"):
        ReceiptStore(records(tmp_path), earlier=tmp_path / "other.db")
    assert (tmp_path / "other.db").exists()
