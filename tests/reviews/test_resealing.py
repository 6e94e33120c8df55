"""Decisions that were kept before there was a master key."""

from __future__ import annotations

from pathlib import Path

from explainer.receipts.store import ReceiptStore
from explainer.reviews.rules import REASONS, Wish
from explainer.reviews.store import ReviewStore
from explainer.sealing import MasterKeys
from explainer.usecases import cases, verdicts
from explainer.usecases.decisions import DecisionAsk, bring
from explainer.usecases.subjects import reseal_records
from tests.house import House
from tests.registry.folders import ROW

WORDS = "Known to us since nineteen ninety-eight"


def test_what_stands_in_the_clear_is_sealed(house: House, tmp_path: Path) -> None:
    """Rows, names and words of verdicts are found in the file before and not afterwards; both are read as before."""
    house.register()
    ask = DecisionAsk("credit", ROW, external_id="Application 4711", subject="person 4711", blind=False)
    case = bring(house.rooms, house.serving, house.caller(), ask)[0]
    wish = Wish("override", REASONS[0], WORDS)
    verdicts.enter(house.rooms, house.caller(), case.facts.id, wish)
    file = house.rooms.receipts.file
    receipts = ReceiptStore(file, masters=MasterKeys([b"m" * 32]))
    later = house.with_rooms(receipts=receipts, reviews=ReviewStore(file, receipts.seals))
    planted = [b"Application 4711", WORDS.encode()]
    assert all(p in _written(file.path) for p in planted)
    before = cases.open_case(house.rooms, house.caller(), case.facts.id)
    assert reseal_records(later.rooms, house.caller("local")).sealed >= 4
    assert not any(p in _written(file.path) for p in planted)
    after = cases.open_case(later.rooms, house.caller(), case.facts.id)
    assert (after.case, after.entered) == (before.case, before.entered)
    assert reseal_records(later.rooms, house.caller("local")).sealed == 0


def _written(path: Path) -> bytes:
    return b"".join(p.read_bytes() for p in path.parent.glob(path.name + "*"))
