"""A receipt for every answered row, kept before the answer leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import numpy as np

from explainer.records import ExplainOptions, LedgerEntry
from explainer.usecases.answering import answer_rows
from explainer.usecases.keeping import About, receipts_for
from explainer.workers.asking import Asking
from tests.house import House


def test_receipts_hold_what_replays_the_answer(house: House) -> None:
    """Row, settings, version and the stored answer with its digest; ids in row order, on disk with the entry."""
    version = house.register()
    rows = np.array([[1.0, np.nan, 0.0, 1.0], [2.0, 3.0, 1.0, 0.0]])
    options = ExplainOptions(method="lime", top=2, seed=7)
    answers = answer_rows(house.rooms, version, house.serving.opened(version), rows, options, Asking())
    ids, keep = receipts_for(house.rooms, house.caller(), About(version, options), rows, answers)
    house.rooms.ledger.append(LedgerEntry("api:x:y", "p", "answered", "r", {}), [keep])
    for i, receipt_id in enumerate(ids):
        kept = house.rooms.receipts.get(receipt_id)
        assert np.array(kept.row).tobytes() == rows[i].tobytes()
        assert (kept.options, kept.answer) == (options, answers[i].stored)
        assert kept.answer_sha256 == sha256(answers[i].stored).hexdigest()
        assert (kept.model, kept.version, kept.model_digest) == ("credit", "1.0", version.digest)
        assert (datetime.now(UTC) - datetime.fromisoformat(kept.created_at)).total_seconds() < 60


def test_no_rows_no_receipts(house: House) -> None:
    """Nothing answered, nothing kept."""
    version = house.register()
    assert receipts_for(house.rooms, house.caller(), About(version, ExplainOptions()), np.empty((0, 4)), [])[0] == []
