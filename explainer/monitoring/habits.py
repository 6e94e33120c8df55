"""When and how much each principal asks, and what is unusual against its own history."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Final, NamedTuple

from explainer.monitoring.alerts import Alert

DAYS: Final = 7  # on which it was active before anything is judged
REMEMBERED: Final = 60  # days
TIMES, LEAST = 5, 300  # entries of a day: so many times its median day, and at least so many
SELDOM: Final = 0.005  # of all its entries fell into this hour, the one before and the one after
ENOUGH: Final = 200  # entries before an hour can be unusual
DAY_S: Final = 86_400


class Activity(NamedTuple):
    """A principal in one hour (0 to 23, UTC) of one day (since 1970)."""

    principal: str
    day: int
    hour: int

    @classmethod
    def at(cls, principal: str, moment: datetime) -> Activity:
        return cls(principal, int(moment.timestamp()) // DAY_S, moment.astimezone(UTC).hour)


def count(connection: sqlite3.Connection, seen: Mapping[Activity, int]) -> None:
    """Add the entries; what is older than sixty days is forgotten."""
    connection.executemany(
        "INSERT INTO activity VALUES (?, ?, ?, ?) "
        "ON CONFLICT (principal, day, hour) DO UPDATE SET entries = entries + excluded.entries",
        [(*activity, entries) for activity, entries in seen.items()],
    )
    if seen:
        connection.execute("DELETE FROM activity WHERE day < ?", (max(a.day for a in seen) - REMEMBERED,))


def unusual(connection: sqlite3.Connection, now: Activity) -> list[Alert]:
    """What is unusual about the principal in this hour; nothing before it was active on seven earlier days."""
    by_day: dict[int, int] = {}
    by_hour = dict.fromkeys(range(24), 0)
    query = "SELECT day, hour, entries FROM activity WHERE principal = ? AND day <= ?"
    for day, hour, entries in connection.execute(query, (now.principal, now.day)):
        by_day[day] = by_day.get(day, 0) + entries
        by_hour[hour] += entries if day < now.day else 0
    today = by_day.pop(now.day, 0)
    if len(by_day) < DAYS:
        return []
    found, usual, total = [], median(by_day.values()), sum(by_hour.values())
    if today >= max(LEAST, TIMES * usual):
        detail = f"{today} entries today; its usual day has {usual:g}."
        found.append(Alert("unusual-volume", now.principal, detail))
    near = sum(by_hour[hour % 24] for hour in (now.hour - 1, now.hour, now.hour + 1))
    if total >= ENOUGH and near < SELDOM * total:
        detail = f"It is active at {now.hour:02}:00 UTC; {near} of its {total} entries fell around that hour before."
        found.append(Alert("unusual-hours", now.principal, detail))
    return found
