"""Receipts under keys: unreadable in the file, whole for whoever has the master key, gone when their subject is."""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path

import pytest

from explainer.durable import DurableFile
from explainer.errors import KeyMissing, NotFound, SealBroken, StorageFailed
from explainer.receipts.resealing import reseal, state
from explainer.receipts.store import SCHEMA, ReceiptStore
from explainer.receipts.subjects import Subjects, marks_of
from explainer.records import ExplainOptions, Receipt
from explainer.sealing import MasterKeys
from tests.receipts.test_store import COHORT, receipt

FIRST, SECOND = MasterKeys([b"1" * 32]), MasterKeys([b"2" * 32, b"1" * 32])
PLANTED = 731_904.25
ROW = (PLANTED, 2.0)
ANSWER = b'[{"prediction":0.731904254321}]'
AT = "2026-11-24T10:00:00+00:00"


def opened(folder: Path, masters: MasterKeys | None = FIRST) -> ReceiptStore:
    return ReceiptStore(DurableFile(folder / "ledger.db", SCHEMA), masters=masters)


def settled(store: ReceiptStore, *receipts: Receipt, subject: str | None = None) -> list[str]:
    ids, keep = store.settle(receipts, subject)
    store._file.write(keep)
    return ids


def planted(**changes: object) -> Receipt:
    return receipt(**{"row": ROW, "answer": ANSWER, "options": ExplainOptions(class_name="planted class"), **changes})


def on_disk(folder: Path) -> bytes:
    """The bytes of the file, its log and its index."""
    return b"".join(p.read_bytes() for p in sorted(folder.glob("ledger.db*")))


def clear_values(folder: Path) -> list[bytes]:
    """Which of the planted values can be read in the files."""
    wanted = [struct.pack("<d", PLANTED), b"0.731904254321", b"planted class", b"anna-4711", *cohort_values()]
    return [value for value in wanted if value in on_disk(folder)]


def cohort_values() -> list[bytes]:
    return [COHORT.data]


def test_sealed_receipts_come_back_and_cannot_be_read_in_the_file(tmp_path: Path) -> None:
    """To the bit, in another process's opening too; with the background that the request brought."""
    store = opened(tmp_path)
    made = [planted(), planted(options=ExplainOptions(background=COHORT)), planted(row=(1.0,))]
    ids = settled(store, *made[:2], subject="anna-4711")
    store.put_many(made[2:])
    again = opened(tmp_path)
    assert [again.get(i) for i in ids] == made[:2]
    assert again.get(made[2].id) == made[2]
    assert clear_values(tmp_path) == []


def test_the_search_is_not_blind(tmp_path: Path) -> None:
    """Without a master key the same values lie there in the clear, but for the subject."""
    settled(opened(tmp_path, None), planted(), planted(options=ExplainOptions(background=COHORT)), subject="anna-4711")
    found = clear_values(tmp_path)
    assert len(found) == 4
    assert b"anna-4711" not in found


def test_the_same_answer_about_another_subject_is_another_receipt(tmp_path: Path) -> None:
    """So that erasing the one leaves the other; the same subject is named its receipt again."""
    store = opened(tmp_path)
    (anna,) = settled(store, planted(), subject="anna")
    assert settled(store, planted(), subject="anna") == [anna]
    assert settled(store, planted(), subject="bert") != [anna]
    assert settled(store, planted()) != [anna]


@pytest.mark.parametrize(
    "change",
    [
        "answer = zeroblob(200)",
        "principal = 'somebody'",
        "model = 'other'",
        "created_at = '2020'",
        "model_digest = 'e'",
        "id = 'rcp_00000000000000000000000000'",
        "answer = (SELECT answer FROM receipts r WHERE r.id <> receipts.id)",
    ],
)
def test_no_part_of_a_sealed_receipt_can_change(tmp_path: Path, change: str) -> None:
    """Also what stands in the clear beside it is bound to it."""
    store = opened(tmp_path)
    (first, second) = settled(store, planted(), planted(row=(5.0,)), subject="anna")
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute(f"UPDATE receipts SET {change} WHERE id = ?", (first,))
    connection.close()
    with pytest.raises((SealBroken, KeyMissing)):
        store.get("rcp_" + "0" * 26 if change.startswith("id") else first)
    assert store.get(second).row == (5.0,)


def test_without_the_master_key_nothing_is_read(tmp_path: Path) -> None:
    """No key, and another key: each says what is missing."""
    (one,) = settled(opened(tmp_path), planted(), subject="anna")
    with pytest.raises(KeyMissing, match="no master key is set"):
        opened(tmp_path, None).get(one)
    with pytest.raises(KeyMissing, match="none of those given"):
        opened(tmp_path, MasterKeys([b"3" * 32])).get(one)


def test_the_master_key_is_exchanged_while_others_go_on(tmp_path: Path) -> None:
    """Both keys given, everything is wrapped anew; then the old key is needed no more, and subjects are found still."""
    before = opened(tmp_path)
    ids = settled(before, planted(), planted(options=ExplainOptions(background=COHORT)), subject="anna")
    ids += settled(before, planted(row=(9.0,)))
    both = opened(tmp_path, SECOND)
    assert state(both).outdated == 3
    assert reseal(both).rewrapped == 3
    assert reseal(both).rewrapped == 0
    assert settled(both, planted(row=(9.0,))) == ids[2:]
    after = opened(tmp_path, MasterKeys([b"2" * 32]))
    assert [after.get(i).row for i in ids] == [ROW, ROW, (9.0,)]
    assert len(Subjects(after).receipts(after.seals.mark("anna"))) == 2
    with pytest.raises(KeyMissing):
        opened(tmp_path, FIRST).get(ids[0])


def test_what_was_kept_in_the_clear_is_sealed_later(tmp_path: Path) -> None:
    """Receipts and backgrounds of a time without a key: none is readable in the file afterwards, all are whole."""
    before = opened(tmp_path, None)
    made = [planted(row=(PLANTED, float(i))) for i in range(230)] + [planted(options=ExplainOptions(background=COHORT))]
    ids = settled(before, *made[:-1]) + settled(before, made[-1], subject="anna-4711")
    after = opened(tmp_path)
    assert state(after).clear == 231
    assert reseal(after).sealed == 231
    assert Subjects(after).wipe()
    assert clear_values(tmp_path) == []
    assert [after.get(i) for i in ids] == made
    assert Subjects(after).receipts(after.seals.mark("anna-4711")) == made[-1:]


def test_a_damaged_receipt_is_left_as_it_is(tmp_path: Path) -> None:
    """Sealing what was changed would make it look whole."""
    before = opened(tmp_path, None)
    ids = settled(before, planted(), planted(row=(1.0,)))
    before._file.write(lambda c: c.execute("UPDATE receipts SET principal = 'x' WHERE id = ?", (ids[0],)))
    after = opened(tmp_path)
    done = reseal(after)
    assert (done.sealed, done.damaged) == (1, 1)
    with pytest.raises(StorageFailed, match="damaged"):
        after.get(ids[0])


@pytest.mark.parametrize("masters", [FIRST, None])
def test_an_erased_subject_cannot_be_had_back(tmp_path: Path, masters: MasterKeys | None) -> None:
    """Its receipts are gone and so is its key: with all keys that remain no byte string in the files opens, and no
    value is there in the clear; others keep theirs."""
    store = opened(tmp_path, masters)
    subjects = Subjects(store)
    ids = settled(store, planted(), planted(options=ExplainOptions(background=COHORT)), subject="anna-4711")
    (other,) = settled(store, planted(row=(3.0,), answer=b"[]", options=ExplainOptions()), subject="bert")
    mark = store.seals.mark("anna-4711")
    with store._file.reading() as connection:
        query = "SELECT wrapped FROM receipt_keys WHERE owner = ?"
        wrapped = connection.execute(query, (mark,)).fetchall()
    done = store._file.write(subjects.erasure(mark, AT))
    assert (done.receipts, done.backgrounds) == (2, 1)
    assert subjects.wipe()
    assert subjects.receipts(mark) == []
    assert subjects.erased() == [(mark, AT)]
    for gone in ids:
        with pytest.raises(NotFound):
            store.get(gone)
    assert store.get(other).row == (3.0,)
    assert clear_values(tmp_path) == []
    left = on_disk(tmp_path)
    assert all(key not in left and key[-48:] not in left for (key,) in wrapped)
    assert all(gone.encode() not in left for gone in ids)


def test_a_background_that_others_need_stays(tmp_path: Path) -> None:
    """It goes with the last receipt that needs it."""
    store = opened(tmp_path)
    subjects = Subjects(store)
    settled(store, planted(options=ExplainOptions(background=COHORT)), subject="anna")
    (kept,) = settled(store, planted(options=ExplainOptions(background=COHORT)), subject="bert")
    assert store._file.write(subjects.erasure(store.seals.mark("anna"), AT)).backgrounds == 0
    assert store.get(kept).options.background == COHORT
    assert store._file.write(subjects.erasure(store.seals.mark("bert"), AT)).backgrounds == 1


def test_a_list_of_the_erased_reads_back() -> None:
    """One mark a line; what is none is refused."""
    marks = [os.urandom(32), os.urandom(32)]
    assert marks_of([f"{m.hex()} {AT}" for m in marks] + ["", "  "]) == marks
    for bad in ("zz", "abcd"):
        with pytest.raises(ValueError, match=r"hexadecimal|fromhex"):
            marks_of([bad])
