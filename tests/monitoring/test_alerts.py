"""Alerts are kept until they are sent, told once in a while, and never too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.monitoring.alerts import GIVEN_UP_AFTER_S, HOUR_S, MANY, Alert, Outbox

DEATHS = Alert("worker-deaths", "credit", "2 of its processes ended unasked.")


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Outbox:
    return Outbox(tmp_path / "alerts.db", per_hour=3, clock=clock)


def test_an_alert_waits_for_every_channel_and_survives_a_restart(outbox: Outbox, tmp_path: Path, clock: Clock) -> None:
    """Another process finds it, until it was sent on each channel."""
    assert outbox.raise_alert(DEATHS, ["ops", "mail"])
    outbox.close()
    again = Outbox(tmp_path / "alerts.db", clock=clock)
    first, second = again.due()
    assert (first.alert, first.channel, second.channel) == (DEATHS, "mail", "ops")
    again.sent(first)
    assert [one.channel for one in again.due()] == ["ops"]
    again.sent(second)
    assert again.due() == []


def test_the_same_is_told_once_in_a_while(outbox: Outbox, clock: Clock) -> None:
    """Within the quiet time it is only counted, also when it was sent already; another subject is told."""
    assert outbox.raise_alert(DEATHS, ["ops"])
    outbox.sent(outbox.due()[0])
    assert not outbox.raise_alert(DEATHS, ["ops"])
    assert outbox.due() == []
    assert outbox.raise_alert(Alert("worker-deaths", "other", ""), ["ops"])
    clock.now += HOUR_S + 1
    assert outbox.raise_alert(DEATHS, ["ops"])


def test_a_flood_ends_in_one_alert_that_says_so(outbox: Outbox, clock: Clock) -> None:
    """Three in an hour, then one that there are more, then silence until the next hour."""
    told = [outbox.raise_alert(Alert("lock-outs", f"s{i}", ""), ["ops"]) for i in range(50)]
    assert sum(told) == 3
    assert [one.alert.kind for one in outbox.due()] == ["lock-outs"] * 3 + [MANY]
    clock.now += HOUR_S + 1
    assert outbox.raise_alert(DEATHS, ["ops"])


def test_what_was_not_taken_is_tried_later_and_later(outbox: Outbox, clock: Clock) -> None:
    """15 seconds, then twice as long each time up to an hour; after three days it is given up."""
    outbox.raise_alert(DEATHS, ["ops"])
    pauses = []
    for _ in range(12):
        (one,) = outbox.due()
        outbox.failed(one)
        before = clock.now
        while not outbox.due():
            clock.now += 5
        pauses.append(clock.now - before)
    assert pauses == [15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0, 3600.0, 3600.0]
    clock.now += GIVEN_UP_AFTER_S
    outbox.due()
    assert outbox.due() == []
