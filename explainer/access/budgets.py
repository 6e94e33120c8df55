"""How many rows, distinct rows and evaluations of a model a principal may still ask for.

The counts stand in one durable table that all processes share; where it cannot be used nothing is admitted.
"""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from explainer.access.budgets_charging import COUNTS, Charge, Lease, nearest, spent_now, write_spent
from explainer.access.budgets_limits import (
    EVERY,
    FIELDS,
    MINUTE_S,
    NAMES,
    NO_LIMITS,
    USUAL,
    Granted,
    Left,
    Limits,
    check,
    header_fields,
)
from explainer.durable import DurableFile, Job
from explainer.durable.kept import Kept
from explainer.errors import NotFound
from explainer.records import Principal

__all__ = ["EVERY", "FIELDS", "NO_LIMITS", "USUAL", "Budgets", "Charge", "Granted", "Left", "Limits", "header_fields"]

LEASE: Final = 32  # rows that a process charges in advance for answers that it gives again
MOST_LEASES: Final = 10_000
LIMITS = """
CREATE TABLE IF NOT EXISTS budgets (
  whom TEXT NOT NULL, model TEXT NOT NULL, limits TEXT NOT NULL, changed_at TEXT NOT NULL, changed_by TEXT NOT NULL,
  PRIMARY KEY (whom, model)
) WITHOUT ROWID
"""


class Budgets:
    """Limits in the file of `controls`, counts in the file of `records`, where the ledger is: a charge can be written
    in one transaction with an entry. Raises StorageFailed when a file cannot be used.
    """

    def __init__(self, controls: DurableFile, records: DurableFile, *, clock: Callable[[], float] = time.time) -> None:
        self._controls, self._records, self._clock = controls, records, clock
        controls.add(LIMITS)
        records.add(COUNTS)
        self._table = Kept(controls, _read)
        self._leases: dict[tuple[str, str], Lease] = {}
        self._lock = threading.Lock()
        _OPEN.add(self)

    def forget_leases(self) -> None:
        """Leases are one process's own: a forked one begins without."""
        self._lock = threading.Lock()
        self._leases = {}

    def limits(self, who: Principal, model: str) -> Limits:
        """Those of the principal itself before those of its role, those of the model before those for every model."""
        if who.kind == "local":
            return NO_LIMITS
        given = self._table.now()
        for whom in (who.id, who.role):
            for which in (model, EVERY):
                found = given.get((whom, which))
                if found is not None:
                    return found.limits
        return USUAL.get(who.role, NO_LIMITS)

    def charge(self, who: Principal, model: str, digest: str, rows: Sequence[bytes]) -> Left | None:
        """Charge for rows, each named by its digest, before anything is computed; None where there is no limit.

        Raises BudgetExhausted, StorageFailed.
        """
        charge = self.charging(who, model, digest, rows)
        if charge is None:
            return None
        self._records.write(charge)
        return charge.left

    def charging(self, who: Principal, model: str, digest: str, rows: Sequence[bytes]) -> Charge | None:
        """The same as a job for a transaction of the records' file."""
        limits = self.limits(who, model)
        return None if limits.none else Charge((who.id, digest), limits, rows, self._clock())

    def again(self, who: Principal, model: str, digest: str, rows: Sequence[bytes]) -> Charge | Left | None:
        """The same for rows that were answered before: what is left where a lease pays for them, else a charge.

        The charge has to be handed to `settle` once it is on disk. Nobody is admitted by a lease who would not be
        by the table: it holds for rows that this process charged in this minute, and is only taken while much is left.
        """
        limits = self.limits(who, model)
        if limits.none:
            return None
        key, now = (who.id, digest), self._clock()
        back = 0
        with self._lock:
            lease = self._leases.get(key)
            if lease is not None:
                same = lease.minute == int(now // MINUTE_S)
                if same and lease.rows >= len(rows) and lease.names.issuperset(rows):
                    lease.rows -= len(rows)
                    return dataclasses.replace(lease.left, remaining=lease.left.remaining + lease.rows)
                del self._leases[key]
                back = lease.rows if not same else 0
        return Charge(key, limits, rows, now, ahead=max(LEASE, len(rows)), back=back)

    def settle(self, charge: Charge) -> None:
        """Keep what a charge, now on disk, paid for in advance."""
        if charge.left is None or not charge.granted:
            return
        left = dataclasses.replace(charge.left, remaining=max(0, charge.left.remaining - charge.granted))
        with self._lock:
            if len(self._leases) >= MOST_LEASES:
                self._leases.clear()
            self._leases[charge.key] = Lease(int(charge.now // MINUTE_S), charge.granted, set(charge.rows), left)

    def spend(self, who: Principal, model: str, digest: str, evaluations: int) -> Job[None] | None:
        """A job that counts what an answer took. A request is admitted while anything of this budget is left."""
        limits = self.limits(who, model)
        if not evaluations or limits.none:
            return None
        key, now = (who.id, digest), self._clock()

        def count(connection: sqlite3.Connection) -> None:
            minute, day, spent = spent_now(connection, key, now)
            for name in NAMES[6:]:
                spent[name] += evaluations
            write_spent(connection, key, minute, day, spent)

        return count

    def left(self, who: Principal, model: str, digest: str) -> Left | None:
        """What is left now; None where there is no limit."""
        limits, now = self.limits(who, model), self._clock()
        if limits.none:
            return None
        with self._records.reading() as connection:
            spent = spent_now(connection, (who.id, digest), now)[2]
        return nearest(limits, spent, now)

    def all(self) -> list[Granted]:
        """Every limit that was set, and those that the program comes with."""
        given = self._table.now()
        usual = [Granted(role, EVERY, limits) for role, limits in USUAL.items() if (role, EVERY) not in given]
        return sorted([*given.values(), *usual], key=lambda g: (g.whom, g.model != EVERY, g.model))

    def set(self, whom: str, model: str, limits: Limits, by: str) -> Granted:
        """`whom` is a role or a principal. Raises InvalidOption, StorageFailed."""
        check(whom, model, limits)
        granted = Granted(whom, model, limits, datetime.now(UTC).isoformat(timespec="seconds"), by)
        written = orjson.dumps(dataclasses.asdict(limits)).decode()
        self._controls.write(
            lambda c: c.execute(
                "REPLACE INTO budgets VALUES (?,?,?,?,?)", (whom, model, written, granted.changed_at, by)
            )
        )
        return granted

    def unset(self, whom: str, model: str) -> None:
        """Raises NotFound where none was set."""
        gone = self._controls.write(
            lambda c: c.execute("DELETE FROM budgets WHERE whom = ? AND model = ?", (whom, model)).rowcount
        )
        if not gone:
            raise NotFound(f"No budget was set for {whom[:120]!r} and model {model[:80]!r}.")


def _read(connection: sqlite3.Connection) -> dict[tuple[str, str], Granted]:
    rows: list[Any] = connection.execute("SELECT whom, model, limits, changed_at, changed_by FROM budgets").fetchall()
    return {(row[0], row[1]): Granted(row[0], row[1], Limits(**orjson.loads(row[2])), row[3], row[4]) for row in rows}


_OPEN: weakref.WeakSet[Budgets] = weakref.WeakSet()


def _forget_parents() -> None:
    for budgets in list(_OPEN):
        budgets.forget_leases()


os.register_at_fork(after_in_child=_forget_parents)
