"""A copy of everything that cannot be computed again."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import NotPermitted, StorageFailed
from explainer.ledger.chain import Verdict
from explainer.ledger.layout import open_file
from explainer.ledger.sqlite import Ledger
from explainer.receipts.store import ReceiptStore
from explainer.records import ExplainOptions
from explainer.usecases.backup import back_up
from explainer.usecases.explain import ExplainAsk, explain
from tests.house import House, build
from tests.registry.folders import ROW


def test_a_copy_taken_under_load_is_consistent(house: House, tmp_path: Path) -> None:
    """While answers go on, every receipt that the copied ledger names is in the copied receipts."""
    house.register()
    stop = threading.Event()

    def work() -> None:
        amount = 0.0
        while not stop.is_set():
            amount += 1
            ask = ExplainAsk("credit", [{**ROW, "amount": amount % 1000}], ExplainOptions())
            explain(house.rooms, house.serving, house.caller(), ask)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        copies = [back_up(house.rooms, house.caller("local"), tmp_path / f"copy-{i}") for i in range(3)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for copy in copies:
        records = open_file(copy.folder / "ledger.db")
        ledger, receipts = Ledger(records), ReceiptStore(records)
        assert ledger.verify().ok
        named = [e.entry.body["first_receipt"] for e in ledger.read(limit=10_000) if "first_receipt" in e.entry.body]
        assert all(receipts.get(str(receipt)).id == receipt for receipt in named)
    assert house.rooms.ledger.verify().ok


def test_an_empty_folder_is_filled(house: House, tmp_path: Path) -> None:
    """A folder that somebody made for it will do, also before anything was registered."""
    (tmp_path / "copy").mkdir()
    done = back_up(house.rooms, house.caller("local"), tmp_path / "copy")
    assert set(done.files) >= {"access.db", "backup.json", "ledger.db"}
    assert done.bytes == sum((done.folder / name).stat().st_size for name in done.files)


class Torn(Ledger):
    def backup_to(self, path: Path) -> Verdict:
        path.write_bytes(b"half")
        raise StorageFailed("The disk is full.")


def test_a_copy_is_whole_or_not_there(house: House, tmp_path: Path) -> None:
    """When one part fails nothing is left, under the name or beside it; the ledger says so."""
    broken = house.with_rooms(ledger=Torn(house.rooms.settings.var / "ledger.db"))
    (tmp_path / "backups").mkdir()
    with pytest.raises(StorageFailed):
        back_up(broken.rooms, house.caller("local"), tmp_path / "backups" / "copy")
    assert list((tmp_path / "backups").iterdir()) == []
    assert [e.entry.outcome for e in house.entries()] == ["storage-failed"]


@pytest.mark.parametrize("role", ["administrator", "auditor", "owner", "demo"])
def test_only_at_the_machine(house: House, tmp_path: Path, role: str) -> None:
    """A copy holds every row: no role that can be granted may take one."""
    with pytest.raises(NotPermitted):
        back_up(house.rooms, house.caller(role), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_broken_chain_is_copied_and_said(tmp_path: Path) -> None:
    """A ledger that was tampered with is kept as it is, as evidence, and the copy's verdict says so."""
    house = build(tmp_path)
    for name in ("one", "two"):
        back_up(house.rooms, house.caller("local"), tmp_path / name)
    house.rooms.ledger.close()
    forged = sqlite3.connect(house.rooms.settings.var / "ledger.db")
    forged.executescript("DROP TRIGGER no_removal; DELETE FROM entries WHERE number = 1;")
    forged.close()
    again: Any = house.with_rooms(ledger=Ledger(house.rooms.settings.var / "ledger.db"))
    done = back_up(again.rooms, house.caller("local"), tmp_path / "three")
    assert not done.ledger.ok
    assert done.ledger.first_bad == 1
    assert "ledger.db" in done.files
