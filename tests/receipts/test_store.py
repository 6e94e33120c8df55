"""Proves the receipt store: what was answered comes back to the bit, or not at all."""

from __future__ import annotations

import math
import sqlite3
import struct
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explainer.attribution.reference import brought
from explainer.durable import DurableFile
from explainer.errors import NotFound, StorageFailed
from explainer.receipts.store import SCHEMA, Gone, ReceiptStore, new_id
from explainer.records import ExplainOptions, Receipt


def receipt(**changes: object) -> Receipt:
    answer = changes.get("answer", b'[{"prediction":0.1}]')
    made = Receipt(
        id=new_id(),
        created_at="2026-11-24T10:00:00.000+00:00",
        principal="key_abc",
        model="credit-gbm",
        version="1.0",
        model_digest="d" * 64,
        options=ExplainOptions(method="tree", tolerance=0.1, seed=2**62, class_name="böse"),
        row=(1.5, -0.0, 5e-324, 1e308),
        answer=answer,  # type: ignore[arg-type]
        answer_sha256=sha256(answer).hexdigest(),  # type: ignore[arg-type]
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def opened(path: Path) -> ReceiptStore:
    return ReceiptStore(DurableFile(path, SCHEMA))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ReceiptStore:
    return opened(tmp_path_factory.mktemp("receipts") / "receipts.db")


def test_receipts_come_back_as_they_were_put(store: ReceiptStore) -> None:
    """Every field of every receipt survives, also in another process's opening of the file."""
    made = [receipt(), receipt(answer=bytes(range(256))), receipt(options=ExplainOptions())]
    store.put_many(made)
    again = opened(store._file.path)
    assert [again.get(r.id) for r in made] == made


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.floats(), max_size=8), st.binary(max_size=50))
def test_rows_and_answers_survive_to_the_bit(store: ReceiptStore, row: list[float], answer: bytes) -> None:
    """Signed zeros, infinities and missing values (NaN) come back with the same bits."""
    made = receipt(row=tuple(row), answer=answer)
    store.put_many([made])
    found = store.get(made.id)
    assert found.answer == answer
    assert [struct.pack("<d", x) for x in found.row] == [struct.pack("<d", x) for x in row]


COHORT = brought(np.array([[1.5, np.nan], [2.5, 1e-9]]))


def test_rows_as_background_come_back_and_are_kept_once(tmp_path: Path) -> None:
    """Receipts of one cohort share its rows, which come back to the bit; others keep the name of theirs."""
    store = opened(tmp_path / "receipts.db")
    made = [
        receipt(options=ExplainOptions(background=b)) for b in (COHORT, COHORT, "default", brought(np.ones((1, 2))))
    ]
    store.put_many(made[:2])
    store.put_many(made[2:])
    assert [store.get(r.id) for r in made] == made
    with sqlite3.connect(tmp_path / "receipts.db") as connection:
        assert connection.execute("SELECT count(*) FROM backgrounds").fetchone() == (2,)


@pytest.mark.parametrize("change", ["UPDATE backgrounds SET data = zeroblob(32)", "DELETE FROM backgrounds"])
def test_a_changed_background_is_found_damaged(tmp_path: Path, change: str) -> None:
    """A receipt whose background is not what was written is not believed."""
    store = opened(tmp_path / "receipts.db")
    made = receipt(options=ExplainOptions(background=COHORT))
    store.put_many([made])
    connection = sqlite3.connect(tmp_path / "receipts.db")
    connection.execute(change)
    connection.commit()
    connection.close()
    with pytest.raises(StorageFailed, match="its background is not what was written"):
        store.get(made.id)


def test_an_unknown_receipt_is_not_found(store: ReceiptStore) -> None:
    """Well-formed and malformed ids that do not exist are both NotFound."""
    for unknown in (new_id(), "rcp_", "", "rcp_" + "I" * 26, "x" * 100_000, "rcp_\ud800"):
        with pytest.raises(NotFound):
            store.get(unknown)


def test_all_or_none_are_kept(store: ReceiptStore) -> None:
    """When one of several cannot be kept, none is."""
    first = receipt()
    store.put_many([first])
    second = receipt()
    with pytest.raises(StorageFailed):
        store.put_many([second, first])
    with pytest.raises(NotFound):
        store.get(second.id)


def test_an_answer_that_is_not_its_digest_is_refused(store: ReceiptStore) -> None:
    """A receipt that contradicts itself is never kept."""
    with pytest.raises(StorageFailed, match="answer_sha256"):
        store.put_many([receipt(answer_sha256="0" * 64)])


@pytest.mark.parametrize(
    "change",
    [
        "answer = x'00'",
        "row = zeroblob(32)",
        "options = CAST('{}' AS BLOB)",
        "principal = 'someone else'",
        "model_digest = 'e'",
        "version = '2.0'",
        "created_at = '2020'",
        "answer_sha256 = '0'",
        "checksum = zeroblob(32)",
    ],
)
def test_a_changed_receipt_is_found_damaged(tmp_path: Path, change: str) -> None:
    """No field of a kept receipt can change unnoticed."""
    store = opened(tmp_path / "receipts.db")
    made = receipt()
    store.put_many([made])
    connection = sqlite3.connect(tmp_path / "receipts.db")
    connection.execute(f"UPDATE receipts SET {change}")
    connection.commit()
    connection.close()
    with pytest.raises(StorageFailed, match="damaged"):
        store.get(made.id)


def test_fields_cannot_flow_into_one_another(tmp_path: Path) -> None:
    """Moving a character from one field to the next changes the checksum."""
    store = opened(tmp_path / "receipts.db")
    made = receipt(model="ab", version="c")
    store.put_many([made])
    connection = sqlite3.connect(tmp_path / "receipts.db")
    connection.execute("UPDATE receipts SET model = 'a', version = 'bc'")
    connection.commit()
    connection.close()
    with pytest.raises(StorageFailed, match="damaged"):
        store.get(made.id)


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_ids_sort_by_time(first: float, second: float) -> None:
    """Ids of different milliseconds sort as their times do."""
    earlier, later = sorted([math.floor(first * 1000), math.floor(second * 1000)])
    if earlier < later:
        assert new_id((earlier + 0.5) / 1000) < new_id((later + 0.5) / 1000)


def test_ids_have_their_form_and_differ() -> None:
    """26 characters of the alphabet after the prefix; no two of one millisecond are alike."""
    made = {new_id(1.0) for _ in range(2000)}
    assert len(made) == 2000
    assert all(
        len(i) == 30 and i.startswith("rcp_") and set(i[4:]) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for i in made
    )


def settled(store: ReceiptStore, *receipts: Receipt) -> list[str]:
    ids, keep = store.settle(receipts)
    store._file.write(keep)
    return ids


def test_the_same_answer_keeps_its_receipt(tmp_path: Path) -> None:
    """Same principal, question, row and answer: the receipt that is there is named, and nothing is written."""
    store = opened(tmp_path / "receipts.db")
    first = receipt()
    assert settled(store, first) == [first.id]
    again = receipt(created_at="2027-01-01T00:00:00.000+00:00")
    assert settled(store, again, receipt()) == [first.id, first.id]
    assert store.get(first.id) == first
    with store._file.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM receipts").fetchone() == (1,)


@pytest.mark.parametrize(
    "change",
    [
        {"principal": "key_other"},
        {"model": "credit-xgb"},
        {"version": "2.0"},
        {"model_digest": "e" * 64},
        {"options": ExplainOptions(method="tree", tolerance=0.1, seed=2**62, class_name="böse", top=3)},
        {"row": (1.5, 0.0, 5e-324, 1e308)},
        {"answer": b'[{"prediction":0.2}]'},
    ],
)
def test_whatever_differs_has_a_receipt_of_its_own(store: ReceiptStore, change: dict[str, object]) -> None:
    """Another principal above all; and every bit of question and answer counts."""
    first, other = receipt(), receipt(**change)
    (kept,) = settled(store, first)
    assert settled(store, other) == [other.id] != [kept]
    assert store.get(other.id) == other


def test_equal_rows_of_one_request_share_a_receipt(tmp_path: Path) -> None:
    """Three rows, two of them the same: two receipts, named in row order."""
    store = opened(tmp_path / "receipts.db")
    a, b, same = receipt(), receipt(row=(2.0,)), receipt()
    assert settled(store, a, b, same) == [a.id, b.id, a.id]
    assert [store.get(r.id) for r in (a, b)] == [a, b]


def test_a_receipt_that_goes_meanwhile_is_written_again(tmp_path: Path) -> None:
    """What is removed between looking and writing is there all the same when it is named."""
    store = opened(tmp_path / "receipts.db")
    first = receipt()
    settled(store, first)
    ids, keep = store.settle([receipt()])
    store._file.write(lambda c: c.execute("DELETE FROM receipts"))
    store._file.write(keep)
    assert ids == [first.id]
    assert store.get(first.id).answer == first.answer


def test_a_receipt_that_was_removed_is_not_there_still(tmp_path: Path) -> None:
    """Whoever would name it once more is told in the same transaction; after it the answer has a new one."""
    store = opened(tmp_path / "receipts.db")
    first, second = receipt(), receipt(row=(3.0,))
    settled(store, first, second)
    store._file.write(store.still([first.id, second.id]))
    store._file.write(lambda c: c.execute("DELETE FROM receipts WHERE id = ?", (second.id,)))
    with pytest.raises(Gone, match=second.id):
        store._file.write(store.still([first.id, second.id]))
    assert settled(store, new := receipt(row=(3.0,))) == [new.id]
