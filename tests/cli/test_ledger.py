"""`explainer ledger`."""

from __future__ import annotations

import sqlite3

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
