"""`explainer subjects` and `explainer reseal`."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.ledger.layout import open_file
from explainer.receipts.store import ReceiptStore
from explainer.records import ExplainOptions
from explainer.sealing import MasterKeys
from explainer.usecases.explain import ExplainAsk, explain
from tests.cli.conftest import run
from tests.house import House
from tests.registry.folders import ROW


@pytest.fixture
def asked(house: House) -> House:
    """One receipt about anna and one about nobody."""
    house.register()
    for subject, amount in (("anna", 1.0), (None, 2.0)):
        request = ExplainAsk("credit", [{**ROW, "amount": amount}], ExplainOptions(), subject=subject)
        explain(house.rooms, house.serving, house.caller(), request)
    return house


def test_a_subject_is_shown_and_erased(asked: House, tmp_path: Path) -> None:
    """By word or from standard input; a dry run removes nothing; the list of the erased is taken again."""
    (receipt,) = run(asked, "subjects", "show", "-", stdin="anna\n").json
    assert receipt["row"][0] == 1.0
    assert run(asked, "subjects", "erase", "anna", "--dry-run").out == "1 receipts would be erased.\n"
    assert run(asked, "subjects", "erase", "anna").out == "Erased 1 receipts of 1 subjects.\n"
    assert run(asked, "subjects", "show", "anna").json == []
    listed = run(asked, "subjects", "erased").out
    (tmp_path / "list").write_text(listed)
    assert len(listed.split()[0]) == 64
    assert run(asked, "subjects", "erase-again", str(tmp_path / "list")).out == "Erased 0 receipts of 1 subjects.\n"


def test_what_cannot_be_done_is_said(asked: House, tmp_path: Path) -> None:
    """No reference, no list, a list of something else, no master key."""
    (tmp_path / "list").write_text("anna\n")
    for words, said in (
        (("subjects", "show", "-"), "reference is empty"),
        (("subjects", "erase-again", str(tmp_path / "absent")), "could not be read"),
        (("subjects", "erase-again", str(tmp_path / "list")), "no list"),
        (("reseal",), "No master key is set"),
    ):
        done = run(asked, *words, stdin="\n")
        assert (done.status, said in done.err) == (1, True), done


def test_receipts_are_sealed_once_there_is_a_key(asked: House) -> None:
    """What stood in the clear is sealed; doing it again finds nothing to do."""
    records = open_file(asked.rooms.settings.var / "ledger.db")
    keyed = asked.with_rooms(receipts=ReceiptStore(records, masters=MasterKeys([b"m" * 32])))
    assert run(keyed, "reseal").out == "Sealed 2 receipts, wrapped 0 keys anew.\n"
    assert run(keyed, "reseal").out == "Sealed 0 receipts, wrapped 0 keys anew.\n"
    assert run(keyed, "subjects", "show", "anna").json[0]["row"][0] == 1.0
