"""What is unusual against a principal's own history."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest

from explainer.monitoring.alerts import SCHEMA
from explainer.monitoring.habits import Activity, count, unusual

TODAY = 20_000


@pytest.fixture
def connection() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.executescript(SCHEMA)
    return made


def week(connection: sqlite3.Connection, days: int = 10, each: int = 20) -> None:
    """Office hours, 9 to 16 o'clock."""
    count(connection, {Activity("ada", TODAY - day, hour): each for day in range(1, days + 1) for hour in range(9, 17)})


def kinds(connection: sqlite3.Connection, hour: int, entries: int, principal: str = "ada") -> list[str]:
    now = Activity(principal, TODAY, hour)
    count(connection, {now: entries})
    return [alert.kind for alert in unusual(connection, now)]


def test_a_usual_day_is_quiet(connection: sqlite3.Connection) -> None:
    """Its own hours and the hour beside them, with as much as always."""
    week(connection)
    assert kinds(connection, 10, 20) == []
    assert kinds(connection, 17, 20) == []


def test_the_middle_of_the_night_is_told(connection: sqlite3.Connection) -> None:
    """One entry is enough, and the history of others does not matter."""
    week(connection)
    count(connection, {Activity("bob", TODAY - day, 3): 500 for day in range(10)})
    assert kinds(connection, 3, 1) == ["unusual-hours"]


def test_a_day_of_many_times_the_usual_is_told(connection: sqlite3.Connection) -> None:
    """Five times its median day, not one entry less."""
    week(connection)
    assert kinds(connection, 10, 799) == []
    assert kinds(connection, 10, 1) == ["unusual-volume"]


def test_nobody_is_judged_before_they_are_known(connection: sqlite3.Connection) -> None:
    """Six days are no history; a program that asks little may ask some hundreds once."""
    week(connection, days=6)
    assert kinds(connection, 3, 10_000) == []
    count(connection, {Activity("seldom", TODAY - day, 10): 1 for day in range(1, 20)})
    assert kinds(connection, 10, 250, "seldom") == []


def test_the_hour_is_that_of_utc() -> None:
    """Whatever zone a time is written in."""
    assert Activity.at("ada", datetime.fromisoformat("2026-11-24T01:30:00+02:00")).hour == 23
    assert Activity.at("ada", datetime(1970, 1, 2, 5, tzinfo=UTC)) == ("ada", 1, 5)
