"""The ledger with meters around it: since every request has its entry, what is answered can be counted here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Literal

from explainer.durable import DurableFile, Job
from explainer.errors import BudgetExhausted, StorageFailed
from explainer.ledger.sqlite import Ledger
from explainer.monitoring.meters import Meters
from explainer.records import LedgerEntry

SIGN_IN: Final = "session:create"
SIGN_INS: Final[dict[str, Literal["admitted", "refused", "throttled"]]] = {
    "answered": "admitted",
    "not-authenticated": "refused",
    "not-permitted": "refused",
    "overloaded": "throttled",
    "too-many-requests": "throttled",
}


class WatchedLedger(Ledger):
    """Every entry is timed; rows, receipts, sign-ins and verifications are counted once their entry is on disk."""

    def __init__(self, file: DurableFile, meters: Meters) -> None:
        super().__init__(file)
        self._meters = meters

    def append(self, entry: LedgerEntry, beside: Sequence[Job[Any]] = ()) -> int:
        begun = time.perf_counter()
        try:
            with self._meters.stage("record"):
                number = super().append(entry, beside)
        except StorageFailed:
            self._meters.not_recorded()
            raise
        self._meters.recorded(time.perf_counter() - begun)
        self._count(entry)
        return number

    def _count(self, entry: LedgerEntry) -> None:
        event = entry.event.partition(":")[2]
        if event == SIGN_IN and entry.outcome in SIGN_INS:
            self._meters.signed_in(SIGN_INS[entry.outcome])
        elif entry.outcome == BudgetExhausted.code and "digest" in entry.body:  # a model that there is
            self._meters.budget_used_up(str(entry.body.get("model")))
        elif event == "chain:verify" and entry.outcome == "answered":
            self._meters.verified(entry.body.get("ok") is True)
        elif event == "explanation:create" and entry.outcome == "answered":
            rows, hits = int(entry.body.get("rows") or 0), int(entry.body.get("hits") or 0)
            self._meters.rows(str(entry.body.get("model")), hits=hits, misses=rows - hits)
            self._meters.receipts_kept(rows)
