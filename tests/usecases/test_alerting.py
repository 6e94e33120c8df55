"""What happens in a house is told, each thing once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from explainer.durable import DurableFile
from explainer.errors import NotReady
from explainer.ledger.layout import open_file
from explainer.ledger.sqlite import Ledger
from explainer.monitoring.alerts import Alert, Outbox, Waiting
from explainer.monitoring.cells import Cells
from explainer.monitoring.page import FOLDER
from explainer.monitoring.recording import LIVE, FileMeters
from explainer.records import LedgerEntry
from explainer.usecases.alerting import REFUSALS, Lookout
from tests.house import House

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


class Paper:
    """A channel on which alerts are written down."""

    name = "paper"

    def __init__(self) -> None:
        self.told: list[Alert] = []

    def send(self, one: Waiting) -> None:
        self.told.append(one.alert)

    def kinds(self) -> list[str]:
        return [alert.kind for alert in self.told]


class At:
    """A lookout on a house whose ledger writes down the time that it is told."""

    def __init__(self, house: House, folder: Path) -> None:
        self.now = NOW
        self.file: DurableFile = open_file(folder / "other.db")
        self.ledger = Ledger(self.file, clock=lambda: self.now)
        self.house = house.with_rooms(ledger=self.ledger)
        self.outbox, self.paper = Outbox(folder / "alerts.db", per_hour=100), Paper()
        self.broken: dict[str, str] = {}
        self.lookout = self.begin()

    def begin(self) -> Lookout:
        return Lookout(self.house.rooms, self.outbox, [self.paper], lambda: self.broken, clock=lambda: self.now)

    def append(
        self, times: int = 1, principal: str = "key_1", event: str = "api:x:y", outcome: str = "answered"
    ) -> None:
        for _ in range(times):
            self.ledger.append(LedgerEntry(event, principal, outcome, "request-1", {}))

    def look(self) -> list[str]:
        self.lookout.look_at_ledger()
        self.lookout.look_at_models()
        self.lookout.look_at_workers()
        self.lookout.send()
        return self.paper.kinds()


@pytest.fixture
def at(house: House, tmp_path: Path) -> At:
    return At(house, tmp_path)


def test_a_quiet_house_is_silent(at: At) -> None:
    """Some requests, and looks before, between and after them."""
    assert at.look() == []
    at.append(50)
    assert at.look() == []
    assert at.look() == []


def test_many_refused_sign_ins_are_told_once(at: At) -> None:
    """Not one too few, those of an hour ago do not count, and the next look does not repeat it."""
    at.append(REFUSALS - 1, "anonymous", "page:session:create", "not-authenticated")
    assert at.look() == []
    at.append(1, "anonymous", "page:session:create", "too-many-requests")
    assert at.look() == ["lock-outs"]
    assert at.look() == ["lock-outs"]


def test_refusals_that_are_spread_over_a_day_are_usual(at: At) -> None:
    """Nineteen in each hour."""
    for _ in range(4):
        at.append(REFUSALS - 1, "anonymous", "page:session:create", "not-authenticated")
        assert at.look() == []
        at.now += timedelta(hours=2)


@pytest.mark.parametrize("wrong", ["removed", "cut", "changed"])
def test_a_ledger_that_lost_something_is_told(at: At, wrong: str) -> None:
    """An entry in the middle, the end, or what an entry says: also across a restart of the lookout."""
    at.append(10)
    assert at.look() == []
    if wrong == "removed":
        at.append(3)
    with sqlite3.connect(at.file.path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            {
                "removed": "DELETE FROM entries WHERE number = 12",
                "cut": "DELETE FROM entries WHERE number > 7",
                "changed": "UPDATE entries SET seal = zeroblob(32) WHERE number = 10",
            }[wrong]
        )
    at.lookout = at.begin()
    assert at.look() == ["ledger-gap"]
    at.append(5)
    assert at.look() == ["ledger-gap"]


def test_a_principal_that_behaves_otherwise_is_told(at: At) -> None:
    """Ten days of thirty requests in the morning, then one at night; nobody else is named."""
    for day in range(10, 0, -1):
        at.now = NOW - timedelta(days=day)
        at.append(30)
        at.append(5, "key_2")
    at.now = NOW
    at.append(30)
    assert at.look() == []
    at.now = NOW + timedelta(hours=16)
    at.append(1)
    assert at.look() == ["unusual-hours"]
    assert at.paper.told[0].subject == "key_1"


def test_history_is_learned_and_not_told(at: At) -> None:
    """A lookout that begins on an old ledger says nothing about what is long past."""
    for day in range(10, 2, -1):
        at.now = NOW - timedelta(days=day)
        at.append(30)
    at.now = NOW - timedelta(days=2, hours=8)
    at.append(10)
    at.append(50, "anonymous", "page:session:create", "not-authenticated")
    at.now = NOW
    assert at.look() == []


def test_a_model_out_of_service_is_told_with_its_reason(at: At) -> None:
    """Once while it lasts."""
    at.broken = {"credit version 1.0": "its file is torn"}
    at.look()
    at.look()
    assert at.paper.told == [Alert("out-of-service", "credit version 1.0", "its file is torn")]


def test_deaths_of_workers_since_the_last_look_are_told(at: At) -> None:
    """What was counted before the lookout began is not news."""
    folder = at.house.rooms.settings.var / FOLDER
    folder.mkdir(parents=True)
    meters = FileMeters(Cells(folder, "dispatcher", LIVE))
    meters.worker_ended("credit", "1.0", 4711, "crashed")
    assert at.look() == []
    meters.worker_ended("credit", "1.0", 4711, "crashed")
    meters.worker_ended("credit", "2.0", 4712, "killed")
    at.look()
    assert at.paper.told == [Alert("worker-deaths", "credit", "2 of its processes ended unasked.")]


def test_other_rooms_may_raise_alerts_too(at: At) -> None:
    """Drift is found elsewhere."""
    at.lookout.raise_alert("drift", "credit", "Another kind of customers.")
    assert at.look() == ["drift"]


def test_entries_that_say_so_are_told_once(at: At) -> None:
    """Extraction at each of its levels, reasons that nobody may tell; not what an old ledger says."""
    at.now = NOW - timedelta(hours=2)
    at.append(event="meter:extraction:alert", outcome="alert")
    at.now = NOW
    assert at.look() == []
    at.append(2, event="meter:extraction:alert", outcome="tightened")
    at.append(event="meter:extraction:alert", outcome="refused")
    at.append(3, event="page:notice:read", outcome="notice-blocked")
    assert at.look() == ["extraction", "extraction", "notice-blocked"]
    assert at.look() == ["extraction", "extraction", "notice-blocked"]


def test_a_failing_step_does_not_stop_the_others(at: At) -> None:
    """While the dispatcher is away the ledger is looked at all the same."""

    class Once:
        """Set after one round."""

        def __init__(self) -> None:
            self.rounds = 0

        def is_set(self) -> bool:
            self.rounds += 1
            return self.rounds > 1

        def wait(self, seconds: float) -> None:
            assert seconds > 0

    def away() -> dict[str, str]:
        raise NotReady("The dispatcher is starting.")

    at.append(REFUSALS, "anonymous", "page:session:create", "not-authenticated")
    Lookout(at.house.rooms, at.outbox, [at.paper], away, clock=lambda: at.now).run(Once())  # type: ignore[arg-type]
    assert at.paper.kinds() == ["lock-outs"]
