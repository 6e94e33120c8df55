"""Alerts that wait to be sent: kept on the disk, each told once in a while, with a bound for each hour."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from explainer.durable import DurableFile

SCHEMA: Final = """
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
    raised_at REAL NOT NULL, times INTEGER NOT NULL
);
CREATE INDEX alerts_by_subject ON alerts (kind, subject, raised_at);
CREATE TABLE deliveries (
    alert INTEGER NOT NULL, channel TEXT NOT NULL, attempts INTEGER NOT NULL, due REAL NOT NULL,
    PRIMARY KEY (alert, channel)
);
CREATE TABLE remembered (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE activity (
    principal TEXT NOT NULL, day INTEGER NOT NULL, hour INTEGER NOT NULL, entries INTEGER NOT NULL,
    PRIMARY KEY (principal, day, hour)
);
"""
HOUR_S: Final = 3600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, HOUR_S  # between two attempts to send
GIVEN_UP_AFTER_S: Final = 3 * 86_400.0
KEPT_S: Final = 30 * 86_400.0
MANY: Final = "many-alerts"


@dataclass(frozen=True, slots=True)
class Alert:
    """What happened to whom: `subject` is a model's name or a principal's id, `detail` holds no personal data."""

    kind: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that has to be sent on a channel; `times` it was raised so far."""

    id: int
    channel: str
    alert: Alert
    raised_at: float
    times: int
    attempts: int


class Outbox:
    """All methods raise StorageFailed; what was raised is on disk and survives a restart until it was sent."""

    def __init__(
        self, path: Path, *, quiet_s: float = HOUR_S, per_hour: int = 20, clock: Callable[[], float] = time.time
    ) -> None:
        """The same kind and subject is told again after `quiet_s`; beyond `per_hour` one says that there are more."""
        self.file = DurableFile(path, SCHEMA)
        self._quiet_s, self._per_hour, self._clock = quiet_s, per_hour, clock

    def raise_alert(self, alert: Alert, channels: Sequence[str]) -> bool:
        """Keep the alert for every channel; returns whether it is told now."""
        now = self._clock()

        def keep(connection: sqlite3.Connection) -> bool:
            query = "SELECT id FROM alerts WHERE kind = ? AND subject = ? AND raised_at > ? ORDER BY id DESC LIMIT 1"
            known = connection.execute(query, (alert.kind, alert.subject, now - self._quiet_s)).fetchone()
            if known is not None:
                connection.execute("UPDATE alerts SET times = times + 1 WHERE id = ?", known)
                return False
            recent = "SELECT count(*), coalesce(sum(kind = ?), 0) FROM alerts WHERE raised_at > ?"
            told, many = connection.execute(recent, (MANY, now - HOUR_S)).fetchone()
            if told - many < self._per_hour:
                _insert(connection, alert, now, channels)
                return True
            if not many:
                detail = f"More than {self._per_hour} alerts within an hour: see the service's log for the others."
                _insert(connection, Alert(MANY, "alerts", detail), now, channels)
            return False

        return self.file.write(keep)

    def due(self) -> list[Waiting]:
        """What is to be sent now, oldest first; what could not be sent for three days is given up."""
        now = self._clock()

        def forget(connection: sqlite3.Connection) -> None:
            old = "SELECT id FROM alerts WHERE raised_at < ?"
            connection.execute(f"DELETE FROM deliveries WHERE alert IN ({old})", (now - GIVEN_UP_AFTER_S,))  # noqa: S608
            connection.execute("DELETE FROM alerts WHERE raised_at < ?", (now - KEPT_S,))

        query = (
            "SELECT id, channel, kind, subject, detail, raised_at, times, attempts FROM deliveries "
            "JOIN alerts ON alerts.id = deliveries.alert WHERE due <= ? ORDER BY id, channel"
        )
        with self.file.reading() as connection:
            rows = connection.execute(query, (now,)).fetchall()
            stale = connection.execute("SELECT 1 FROM alerts WHERE raised_at < ?", (now - GIVEN_UP_AFTER_S,)).fetchone()
        if stale:
            self.file.write(forget)
        return [Waiting(r[0], r[1], Alert(r[2], r[3], r[4]), r[5], r[6], r[7]) for r in rows]

    def sent(self, one: Waiting) -> None:
        self.file.write(
            lambda c: c.execute("DELETE FROM deliveries WHERE alert = ? AND channel = ?", (one.id, one.channel))
        )

    def failed(self, one: Waiting) -> None:
        """Try again later, each time twice as late."""
        due = self._clock() + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**one.attempts)
        update = "UPDATE deliveries SET attempts = attempts + 1, due = ? WHERE alert = ? AND channel = ?"
        self.file.write(lambda c: c.execute(update, (due, one.id, one.channel)))

    def close(self) -> None:
        self.file.close()


def _insert(connection: sqlite3.Connection, alert: Alert, now: float, channels: Sequence[str]) -> None:
    made = connection.execute(
        "INSERT INTO alerts (kind, subject, detail, raised_at, times) VALUES (?, ?, ?, ?, 1)",
        (alert.kind, alert.subject, alert.detail, now),
    )
    rows = [(made.lastrowid, channel, 0, now) for channel in channels]
    connection.executemany("INSERT INTO deliveries VALUES (?, ?, ?, ?)", rows)
