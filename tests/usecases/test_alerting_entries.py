"""Which entries are told by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from explainer.records import LedgerEntry
from explainer.usecases.alerting_entries import alert_of


def entry(event: str, outcome: str = "answered", **body: Any) -> LedgerEntry:
    return LedgerEntry(event, "key_1", outcome, "request-1", body)


@pytest.mark.parametrize(
    ("level", "told"), [("alert", "Nothing was changed"), ("tightened", "without sizes"), ("refused", "it is refused")]
)
def test_extraction_is_told_at_each_level(level: str, told: str) -> None:
    """Whose answers of which model, how good a clone would be, and what was done; the level makes it a new subject."""
    facts = {"model": "credit", "rows": 5000, "agreement": 0.961, "patterns": "small-steps", "level": level}
    alert = alert_of(entry("meter:extraction:alert", level, **facts))
    assert alert is not None
    assert (alert.kind, alert.subject) == ("extraction", f"key_1 on credit: {level}")
    assert "5000" in alert.detail
    assert "0.961" in alert.detail
    assert "small-steps" in alert.detail
    assert told in alert.detail


def test_reasons_that_may_not_be_told_are_told() -> None:
    """A decision with a blocked reason, by whichever door, names model, decision and codes."""
    for door in ("api", "page", "cli"):
        facts = {"model": "credit", "decision": "dec_1", "blocked": "protected,unmapped"}
        alert = alert_of(entry(f"{door}:decision:create", **facts))
        assert alert is not None
        assert (alert.kind, alert.subject) == ("protected-reason", "credit")
        assert "dec_1" in alert.detail
        assert "protected,unmapped" in alert.detail


def test_a_notice_that_was_refused_for_its_reasons_is_told() -> None:
    """Whatever was to be done with the notice; other refusals of notices are none of it."""
    for action in ("read", "create", "send"):
        alert = alert_of(entry(f"api:notice:{action}", "notice-blocked", model="credit", decision="dec_1"))
        assert alert is not None
        assert (alert.kind, alert.subject) == ("notice-blocked", "credit")
        assert "dec_1" in alert.detail
    assert alert_of(entry("api:notice:read", "not-permitted", model="credit")) is None


@pytest.mark.parametrize(
    "usual",
    [
        entry("api:explanation:create", model="credit"),
        entry("api:decision:create", model="credit", blocked=""),
        entry("api:decision:create", model="credit"),
        entry("api:decision:create", "invalid-rows", model="credit", blocked="protected"),
        entry("api:decision:read", model="credit", blocked="protected"),
        entry("page:notice:read", model="credit"),
        entry("api:x:notice", "notice-blocked"),
    ],
    ids=str,
)
def test_most_entries_are_not(usual: LedgerEntry) -> None:
    """What was answered, refused or read without a blocked reason."""
    assert alert_of(usual) is None


def test_an_entry_without_its_facts_is_told_all_the_same() -> None:
    """An alert is not lost because an entry was written by an earlier version."""
    alert = alert_of(entry("meter:extraction:alert", "refused"))
    assert alert is not None
    assert alert.subject == "key_1 on unknown: refused"
