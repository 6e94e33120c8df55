"""Proves that what is answered is counted once its entry is on disk, and that nothing is counted that was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explainer.errors import StorageFailed
from explainer.ledger.layout import open_file
from explainer.monitoring.cells import Cells
from explainer.monitoring.recording import LIVE, FileMeters
from explainer.records import LedgerEntry
from explainer.usecases.watched_ledger import WatchedLedger
from tests.monitoring.conftest import Measured


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    return Measured(tmp_path / "meters", FileMeters(Cells(tmp_path / "meters", "web", LIVE)))


@pytest.fixture
def ledger(tmp_path: Path, measured: Measured) -> WatchedLedger:
    return WatchedLedger(open_file(tmp_path / "ledger.db"), measured.meters)


def entry(event: str, outcome: str = "answered", **body: Any) -> LedgerEntry:
    return LedgerEntry(event, "key_abc", outcome, "r-1", body)


def test_entries_are_written_as_ever_and_timed(ledger: WatchedLedger, measured: Measured) -> None:
    """Numbers and chain are those of the ledger itself; each entry is counted with its time."""
    assert [ledger.append(entry("api:card:read")) for _ in range(3)] == [1, 2, 3]
    assert ledger.verify().ok
    assert measured.value("explainer_ledger_entries_total") == 3
    assert measured.value("explainer_ledger_commit_duration_seconds_count") == 3
    assert measured.value("explainer_stage_duration_seconds_count", stage="record") == 3


def test_an_entry_that_was_not_written_counts_as_such_and_nothing_else(
    ledger: WatchedLedger, measured: Measured
) -> None:
    """The error goes on to the caller; no row, no receipt, no entry is counted."""
    ledger.close()
    with pytest.raises(StorageFailed):
        ledger.append(entry("api:explanation:create", model="credit", rows=2, hits=0))
    assert measured.value("explainer_ledger_failures_total") == 1
    assert measured.value("explainer_ledger_entries_total") == 0
    assert measured.value("explainer_receipts_total") == 0


def test_rows_are_counted_by_whether_they_were_known(ledger: WatchedLedger, measured: Measured) -> None:
    """Of answers only: the model of a refused request may be anybody's invention."""
    ledger.append(entry("api:explanation:create", model="credit", rows=5, hits=2))
    ledger.append(entry("page:explanation:create", model="credit", rows=1, hits=1))
    ledger.append(entry("api:explanation:create", "not-found", model="invented", rows=9))
    ledger.append(entry("api:importance:create", model="credit", rows=7, hits=0))
    assert measured.value("explainer_explained_rows_total", model="credit", cache="hit") == 3
    assert measured.value("explainer_explained_rows_total", model="credit", cache="miss") == 3
    assert measured.value("explainer_receipts_total") == 6
    assert "invented" not in str(measured.samples())


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [("answered", "admitted"), ("not-authenticated", "refused"), ("overloaded", "throttled"), ("storage-failed", None)],
)
def test_attempts_to_sign_in_are_counted_by_what_came_of_them(
    ledger: WatchedLedger, measured: Measured, outcome: str, counted: str | None
) -> None:
    """A failure of the service is no failure of the person."""
    ledger.append(entry("page:session:create", outcome, person="person_1"))
    for one in ("admitted", "refused", "throttled"):
        assert measured.value("explainer_sign_ins_total", outcome=one) == (1 if one == counted else 0)
    assert "person_1" not in str(measured.samples())


def test_a_verification_is_counted_by_what_it_found(ledger: WatchedLedger, measured: Measured) -> None:
    """Whole or broken; one that was refused found nothing."""
    ledger.append(entry("api:chain:verify", ok=True))
    ledger.append(entry("cli:chain:verify", ok=False))
    ledger.append(entry("api:chain:verify", "not-permitted"))
    assert measured.value("explainer_ledger_verifications_total", outcome="whole") == 1
    assert measured.value("explainer_ledger_verifications_total", outcome="broken") == 1


def test_budgets_that_are_used_up_are_counted_by_model(ledger: WatchedLedger, measured: Measured) -> None:
    """Of models that there are: an entry with a digest was written after the version was found."""
    ledger.append(entry("api:explanation:create", "budget-exhausted", model="credit", digest="d"))
    ledger.append(entry("page:prediction:create", "budget-exhausted", model="credit", digest="d"))
    ledger.append(entry("api:explanation:create", "budget-exhausted", model="invented"))
    ledger.append(entry("api:explanation:create", model="credit", digest="d", rows=1, hits=0))
    assert measured.value("explainer_budget_refusals_total", model="credit") == 2
    assert measured.value("explainer_budget_refusals_total", model="invented") is None
