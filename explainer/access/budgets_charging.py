"""Charges of a budget, counted in one durable table that all processes share."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from explainer.access.budgets_limits import DAY_S, FOREVER, MINUTE_S, NAMES, Left, Limits, header_fields
from explainer.errors import BudgetExhausted

PLENTY: Final = 10  # leases; with less left every row is charged by itself, so that the last one counts exactly
# Rows go by keyed names; budgets_met, of earlier versions, held digests that could be tried out.
COUNTS = """
CREATE TABLE IF NOT EXISTS budgets_spent (
  principal TEXT NOT NULL, digest TEXT NOT NULL, minute INTEGER NOT NULL, day INTEGER NOT NULL,
  rows_minute INTEGER NOT NULL, rows_day INTEGER NOT NULL, rows_version INTEGER NOT NULL,
  distinct_minute INTEGER NOT NULL, distinct_day INTEGER NOT NULL, distinct_version INTEGER NOT NULL,
  evaluations_minute INTEGER NOT NULL, evaluations_day INTEGER NOT NULL, evaluations_version INTEGER NOT NULL,
  PRIMARY KEY (principal, digest)
) WITHOUT ROWID;
DROP TABLE IF EXISTS budgets_met;
CREATE TABLE IF NOT EXISTS budgets_rows (
  principal TEXT NOT NULL, digest TEXT NOT NULL, row BLOB NOT NULL, minute INTEGER NOT NULL, day INTEGER NOT NULL,
  PRIMARY KEY (principal, digest, row)
) WITHOUT ROWID
"""


class Lease:
    """Rows that were charged in advance, good for one minute and for rows that were met in it."""

    __slots__ = ("left", "minute", "names", "rows")

    def __init__(self, minute: int, rows: int, names: set[bytes], left: Left) -> None:
        self.minute, self.rows, self.names, self.left = minute, rows, names, left


class Charge:
    """A charge for some rows, as a job of a transaction; `left` is known once that is on disk.

    With `ahead` a few rows more are charged where there are plenty; `back` gives back what an ended lease left over.
    """

    def __init__(
        self, key: tuple[str, str], limits: Limits, rows: Sequence[bytes], now: float, *, ahead: int = 0, back: int = 0
    ) -> None:
        self.key, self.now = key, now
        self._limits, self.rows, self._ahead, self._back = limits, rows, ahead, back
        self.left: Left | None = None
        self.granted = 0

    def __call__(self, connection: sqlite3.Connection) -> None:
        """Raises BudgetExhausted, and counts nothing then."""
        minute, day, before = spent_now(connection, self.key, self.now)
        for name in ("rows_day", "rows_version"):
            before[name] = max(0, before[name] - self._back)
        spent = dict(before)
        fresh, fresh_minute, fresh_day = self._meet(connection, minute, day)
        for name, amount in zip(NAMES, (*(len(self.rows),) * 3, fresh_minute, fresh_day, fresh, 0, 0, 0), strict=True):
            spent[name] += amount
        self.left = nearest(self._limits, spent, self.now, before)
        rooms = [limit - spent[n] for n in NAMES[:3] if (limit := getattr(self._limits, n)) is not None]
        self.granted = self._ahead if not rooms or min(rooms) >= PLENTY * self._ahead else 0
        for name in NAMES[:3]:
            spent[name] += self.granted
        write_spent(connection, self.key, minute, day, spent)

    def _meet(self, connection: sqlite3.Connection, minute: int, day: int) -> tuple[int, int, int]:
        """How many of the rows were not met on this version, in this minute and on this day."""
        new = minutes = days = 0
        for row in dict.fromkeys(self.rows):
            seen = connection.execute(
                "SELECT minute, day FROM budgets_rows WHERE principal = ? AND digest = ? AND row = ?", (*self.key, row)
            ).fetchone()
            new += seen is None
            minutes += seen is None or seen[0] != minute
            days += seen is None or seen[1] != day
            if seen != (minute, day):
                connection.execute("REPLACE INTO budgets_rows VALUES (?,?,?,?,?)", (*self.key, row, minute, day))
        return new, minutes, days


def spent_now(connection: sqlite3.Connection, key: tuple[str, str], now: float) -> tuple[int, int, dict[str, int]]:
    """The minute and day that it is, and what was spent in them; a clock that was set back begins nothing anew."""
    minute, day = int(now // MINUTE_S), int(now // DAY_S)
    found = connection.execute("SELECT * FROM budgets_spent WHERE principal = ? AND digest = ?", key).fetchone()
    if found is None:
        return minute, day, dict.fromkeys(NAMES, 0)
    spent = dict(zip(NAMES, found[4:], strict=True))
    past_minute, past_day = minute > found[2], day > found[3]
    for name in NAMES:
        if (past_minute and name.endswith("_minute")) or (past_day and name.endswith("_day")):
            spent[name] = 0
    return max(minute, found[2]), max(day, found[3]), spent


def write_spent(
    connection: sqlite3.Connection, key: tuple[str, str], minute: int, day: int, spent: Mapping[str, int]
) -> None:
    connection.execute(
        "REPLACE INTO budgets_spent VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", (*key, minute, day, *spent.values())
    )


def nearest(
    limits: Limits, spent: Mapping[str, int], now: float, before: Mapping[str, int] | None = None
) -> Left | None:
    """The limit that is nearest to its end; raises BudgetExhausted for one that was passed since `before`."""
    found, share = None, 2.0
    for name in NAMES:
        limit = getattr(limits, name)
        if limit is None:
            continue
        over = spent[name] >= limit if name.startswith("evaluations") else spent[name] > limit
        if over and before is not None:
            raise _exhausted(Left(name, limit, max(0, limit - before[name]), _reset_s(name, now)))
        left = Left(name, limit, max(0, limit - spent[name]), _reset_s(name, now))
        part = left.remaining / limit if limit else 0.0
        if part < share:
            found, share = left, part
    return found


def _reset_s(name: str, now: float) -> int:
    window = {"minute": MINUTE_S, "day": DAY_S}.get(name.partition("_")[2])
    return FOREVER if window is None else max(1, math.ceil(window - now % window))


def _exhausted(left: Left) -> BudgetExhausted:
    what, _, window = left.name.partition("_")
    words = {"rows": "rows", "distinct": "distinct rows", "evaluations": "evaluations"}[what]
    when = {
        "minute": f"Ask again in {left.reset_s} s, with fewer rows at once.",
        "day": f"It begins anew in {left.reset_s} s.",
        "version": "It does not begin anew; an administrator can raise it: explainer budgets set --help.",
    }[window]
    span = "version of the model" if window == "version" else window
    return BudgetExhausted(
        f"The budget of {left.limit:,} {words} for each {span} does not allow this request. {when}",
        retry_after_s=left.reset_s,
        left=header_fields(left),
    )
