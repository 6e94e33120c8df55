"""All that is kept of one person, in a house with a master key: shown, erased, and never back again."""

from __future__ import annotations

import dataclasses
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from explainer.access.roles import grantable_roles
from explainer.cache.cover import cover_for
from explainer.cache.memory import MemoryTier
from explainer.cache.sqlite import DiskTier
from explainer.cache.tiers import Cache
from explainer.errors import InvalidOption, NotFound, NotPermitted
from explainer.ledger.layout import open_file
from explainer.ledger.sqlite import Ledger
from explainer.receipts.store import ReceiptStore
from explainer.receipts.subjects import Subjects
from explainer.records import ExplainOptions
from explainer.reviews.store import ReviewStore
from explainer.sealing import MasterKeys
from explainer.usecases.backup import back_up
from explainer.usecases.explain import ExplainAsk, explain
from explainer.usecases.subjects import (
    count_subject,
    erase_again,
    erase_subject,
    list_erased,
    reseal_records,
    show_subject,
)
from tests.house import House, build
from tests.registry.folders import ROW

MASTERS = MasterKeys([b"m" * 32])
AMOUNT = 731.904_25


def sealed(folder: Path, masters: MasterKeys | None = MASTERS) -> House:
    """A house whose receipts and disk cache are sealed, as the wiring furnishes it."""
    house = build(folder)
    house.rooms.ledger.close()
    records = open_file(house.rooms.settings.var / "ledger.db")
    disk = DiskTier(house.rooms.settings.var / "cache.db", 1_000_000, cover=cover_for(masters))
    receipts = ReceiptStore(records, masters=masters)
    return house.with_rooms(
        ledger=Ledger(records),
        receipts=receipts,
        reviews=ReviewStore(records, receipts.seals),
        cache=Cache([MemoryTier(1_000_000), disk]),
    )


def ask(house: House, subject: str | None, amount: float = AMOUNT, **options: Any) -> str:
    request = ExplainAsk("credit", [{**ROW, "amount": amount}], ExplainOptions(**options), subject=subject)
    return explain(house.rooms, house.serving, house.caller(), request).receipts[0]


def files(house: House) -> dict[str, bytes]:
    """Everything that was written, but for the registered models, which hold no asked rows."""
    var = house.rooms.settings.var
    paths = [p for p in var.rglob("*") if p.is_file() and "registry" not in p.relative_to(var).parts]
    return {str(p.relative_to(var)): p.read_bytes() for p in paths}


def readable(house: House, receipt: str) -> set[str]:
    """Names of the files in which a planted value can be read: row, prediction, subject."""
    answer = json.loads(house.rooms.receipts.get(receipt).answer)
    prediction = json.dumps(answer[0]["prediction"]).encode()
    wanted = (struct.pack("<d", AMOUNT), str(AMOUNT).encode(), prediction, b"anna-4711")
    return {name for name, data in files(house).items() if any(value in data for value in wanted)}


def test_no_personal_value_is_on_the_disk_in_the_clear(tmp_path: Path) -> None:
    """After questions with and without a subject, and cached ones: neither ledger, receipts nor cache show any."""
    house = sealed(tmp_path)
    house.register()
    receipts = [ask(house, "anna-4711"), ask(house, None), ask(house, "anna-4711", method="lime")]
    assert ask(house, "anna-4711") == receipts[0]
    house.rooms.cache.close()
    assert readable(house, receipts[0]) == set()
    assert {"ledger.db", f"cache-{MASTERS.ids[0]}.db"} <= set(files(house))


def test_without_a_master_key_the_same_search_finds_them(tmp_path: Path) -> None:
    """So the search above is not blind; the subject is never kept, key or no key."""
    house = sealed(tmp_path, None)
    house.register()
    receipt = ask(house, "anna-4711")
    house.rooms.cache.close()
    assert any(name.startswith("ledger.db") for name in readable(house, receipt))
    assert not any(b"anna-4711" in data for data in files(house).values())


def test_what_is_kept_of_a_subject_is_shown(tmp_path: Path) -> None:
    """Rows, settings and answers of this subject and of no other; the reading is on record without the reference."""
    house = sealed(tmp_path)
    house.register()
    ids = [ask(house, "anna"), ask(house, "anna", 2.0)]
    ask(house, "bert", 3.0)
    found = show_subject(house.rooms, house.caller("local"), "anna")
    assert sorted(r["id"] for r in found) == sorted(ids)
    assert {r["row"][0] for r in found} == {AMOUNT, 2.0}
    assert all(r["answer"] and r["model"]["name"] == "credit" for r in found)
    assert "anna" not in json.dumps([dataclasses.asdict(e.entry) for e in house.entries()])


def test_an_erased_subject_is_gone_and_the_ledger_verifies(tmp_path: Path) -> None:
    """With the master key and every key that is left, no receipt and no value of the subject is had back from the
    files; the dry run said how many; another's stay; the same question later is a new receipt."""
    house = sealed(tmp_path)
    house.register()
    local, gone, other = house.caller("local"), [ask(house, "anna"), ask(house, "anna", 2.0)], ask(house, "bert", 3.0)
    assert count_subject(house.rooms, local, "anna") == 2
    mark = house.rooms.receipts.seals.mark("anna")
    with house.rooms.receipts.file.reading() as connection:
        (wrapped,) = connection.execute("SELECT wrapped FROM receipt_keys WHERE owner = ?", (mark,)).fetchone()
    done = erase_subject(house.rooms, local, "anna")
    assert (done.receipts, done.log_emptied) == (2, True)
    again = ReceiptStore(open_file(house.rooms.settings.var / "ledger.db"), masters=MASTERS)
    for receipt in gone:
        with pytest.raises(NotFound):
            again.get(receipt)
    assert Subjects(again).receipts(mark) == []
    assert not any(wrapped[-48:] in data for data in files(house).values())
    assert again.get(other).row[0] == 3.0
    assert house.rooms.ledger.verify().ok
    erasures = [e.entry for e in house.entries() if e.entry.event == "cli:subject:erase" or "erase" in e.entry.event]
    assert [e.body["receipts"] for e in erasures] == [2]
    assert ask(house, "anna") not in gone


def test_a_restored_backup_is_erased_again(tmp_path: Path) -> None:
    """The copy of yesterday still holds the receipts; the list of the erased takes them out of it again."""
    house = sealed(tmp_path / "a")
    house.register()
    local, receipt = house.caller("local"), ask(house, "anna")
    old = back_up(house.rooms, local, tmp_path / "old")
    erase_subject(house.rooms, local, "anna")
    new = back_up(house.rooms, local, tmp_path / "new")
    assert (old.folder / "erased.txt").read_text() == ""
    lines = (new.folder / "erased.txt").read_text()
    assert lines == list_erased(house.rooms, local)
    restored = tmp_path / "b"
    (restored / "var").mkdir(parents=True)
    shutil.copyfile(old.folder / "ledger.db", restored / "var" / "ledger.db")
    back = sealed(restored)
    assert back.rooms.receipts.get(receipt).row[0] == AMOUNT
    (done,) = erase_again(back.rooms, local, lines.splitlines())
    assert done.receipts == 1
    with pytest.raises(NotFound):
        back.rooms.receipts.get(receipt)
    assert list_erased(back.rooms, local).split()[0] == lines.split()[0]
    with pytest.raises(InvalidOption, match="no list"):
        erase_again(back.rooms, local, ["rubbish"])


def test_receipts_of_a_time_without_a_key_are_sealed(tmp_path: Path) -> None:
    """Once a key is set, one command takes what was in the clear out of the files; answers stay what they were."""
    house = sealed(tmp_path, None)
    house.register()
    receipt = ask(house, "anna-4711")
    records = house.rooms.receipts.file
    later = house.with_rooms(receipts=ReceiptStore(records, masters=MASTERS), cache=house.rooms.cache)
    assert reseal_records(later.rooms, house.caller("local")).sealed == 1
    assert "ledger.db" not in {name.removesuffix("-wal") for name in readable(later, receipt)}
    assert [e.entry.body.get("sealed") for e in house.entries()][-1] == 1


@pytest.mark.parametrize("role", grantable_roles())
def test_only_at_the_machine(house: House, role: str) -> None:
    """No role that can be granted shows or erases a subject, or seals anew; each attempt is on record."""
    caller = house.caller(role)
    for attempt in (
        lambda: show_subject(house.rooms, caller, "anna"),
        lambda: count_subject(house.rooms, caller, "anna"),
        lambda: erase_subject(house.rooms, caller, "anna"),
        lambda: list_erased(house.rooms, caller),
        lambda: reseal_records(house.rooms, caller),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"] * 5


def test_a_request_about_a_person_is_never_an_export(tmp_path: Path) -> None:
    """However many rows: each has its receipt, and all of them are found by the subject, whatever its letters."""
    house = build(tmp_path, export_above_rows=2)
    house.register()
    body = {"instances": [{**ROW, "amount": float(i)} for i in range(4)], "subject": "анна \U0001f600"}
    headers = {"Authorization": f"Bearer {house.key()}"}
    answer = house.client().post("/api/v1/models/credit/explain", json=body, headers=headers)
    assert answer.status_code == 200, answer.data
    found = show_subject(house.rooms, house.caller("local"), body["subject"])
    assert {r["id"] for r in found} == {e["receipt"] for e in answer.json["explanations"]}
    for wrong in ("", "x" * 201, 5):
        refused = house.client().post("/api/v1/models/credit/explain", json={**body, "subject": wrong}, headers=headers)
        assert refused.status_code in {400, 422}
