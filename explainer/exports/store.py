"""Keeps exports and their finished chunks in one durable file; a lease says who works on which."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from explainer.durable import DurableFile
from explainer.errors import Conflict, NotFound
from explainer.exports.holders import gone
from explainer.exports.jobs import OPEN, Job, Noted, Progress, State
from explainer.exports.spec import Spec, from_json, to_json

SCHEMA = """
CREATE TABLE job (
    id TEXT PRIMARY KEY, principal TEXT NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL, priority INTEGER NOT NULL,
    created REAL NOT NULL, spec TEXT NOT NULL, total INTEGER, started REAL, ended REAL, expires REAL,
    seconds REAL NOT NULL DEFAULT 0, error TEXT, holder TEXT, lease REAL, not_before REAL NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, idempotency TEXT, request_sha256 TEXT, UNIQUE (principal, idempotency)
) STRICT;
CREATE TABLE chunk (
    job TEXT NOT NULL, number INTEGER NOT NULL, source TEXT NOT NULL, explained INTEGER NOT NULL,
    rejected INTEGER NOT NULL, skipped INTEGER NOT NULL, read INTEGER NOT NULL, rows_sha256 TEXT NOT NULL,
    rejects_sha256 TEXT NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID
"""
LEASE_S = 60.0
COLUMNS = (
    "job.id, principal, role, state, priority, created, spec, total, started, ended, expires, seconds, error, holder, "
    "COUNT(chunk.number), COALESCE(SUM(explained), 0), COALESCE(SUM(rejected), 0), COALESCE(SUM(skipped), 0), "
    "COALESCE(MAX(read), 0)"
)
SELECT = f"SELECT {COLUMNS} FROM job LEFT JOIN chunk ON chunk.job = job.id"  # noqa: S608  only names of our own
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class LeaseLost(Conflict):
    """Somebody else works on this export now, or it was paused or cancelled: stop."""


class ExportStore:
    """Safe for threads and processes; raises StorageFailed when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._file = DurableFile(path, SCHEMA)

    def submit(self, job: Job, *, idempotency: str | None = None, request: str | None = None) -> Job:
        """Keep a new export. With the idempotency key of an earlier one, that one is returned.

        Raises Conflict when the same key came with another request (`request` is its SHA-256).
        """

        def write(connection: sqlite3.Connection) -> str:
            if idempotency is not None:
                known = connection.execute(
                    "SELECT id, request_sha256 FROM job WHERE principal = ? AND idempotency = ?",
                    (job.principal, idempotency),
                ).fetchone()
                if known is not None:
                    if known[1] != request:
                        raise Conflict("This Idempotency-Key came with another request before; use a new one.")
                    return str(known[0])
            connection.execute(
                "INSERT INTO job (id, principal, role, state, priority, created, spec, total, idempotency,"
                " request_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job.id,
                    job.principal,
                    job.role,
                    job.state,
                    job.priority,
                    job.created,
                    json.dumps(to_json(job.spec)),
                    job.progress.total,
                    idempotency,
                    request,
                ),
            )
            return job.id

        return self.get(self._file.write(write))

    def earlier(self, principal: str, idempotency: str, request: str) -> Job | None:
        """The export that came with this key before; raises Conflict when that was another request."""
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT id, request_sha256 FROM job WHERE principal = ? AND idempotency = ?", (principal, idempotency)
            ).fetchone()
        if row is not None and row[1] != request:
            raise Conflict("This Idempotency-Key came with another request before; use a new one.")
        return None if row is None else self.get(row[0])

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        with self._file.reading() as connection:
            row = connection.execute(f"{SELECT} WHERE job.id = ? GROUP BY job.id", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"There is no export {job_id[:40]!r}.")
        return _job(row)

    def latest(self, principal: str | None = None, limit: int = 100) -> list[Job]:
        """The latest exports, of one principal or of all."""
        condition, given = ("WHERE principal = ?", [principal]) if principal is not None else ("", [])
        query = f"{SELECT} {condition} GROUP BY job.id ORDER BY created DESC, job.id LIMIT ?"
        with self._file.reading() as connection:
            return [_job(row) for row in connection.execute(query, [*given, limit])]

    def states(self) -> dict[str, int]:
        """How many exports are in each state there is."""
        with self._file.reading() as connection:
            found = dict(connection.execute("SELECT state, COUNT(*) FROM job GROUP BY state").fetchall())
        return {state: int(found.get(state, 0)) for state in get_args(State)}

    def open_count(self, principal: str) -> int:
        """How many exports of a principal wait, run or are paused."""
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT COUNT(*) FROM job WHERE principal = ? AND state IN (?, ?, ?)", (principal, *OPEN)
            ).fetchone()
        return int(row[0])

    def claim(self, holder: str, now: float | None = None, *, only: str | None = None) -> Job | None:
        """Take the export that is due next (highest priority, oldest), or the one called `only`; None: nothing is.

        One that runs is due again when its lease is over or its holder's process, if it was of this machine, is gone.
        """
        now = time.time() if now is None else now

        def write(connection: sqlite3.Connection) -> str | None:
            rows = connection.execute(
                "SELECT id, state, holder, lease, not_before FROM job WHERE state IN ('queued', 'running') AND"
                " (? IS NULL OR id = ?) ORDER BY priority DESC, created, id",
                (only, only),
            ).fetchall()
            for job_id, state, held_by, lease, not_before in rows:
                free = state == "queued" and (not_before <= now or only is not None)
                if free or (state == "running" and (lease <= now or gone(held_by))):
                    connection.execute(
                        "UPDATE job SET state = 'running', holder = ?, lease = ?, started = COALESCE(started, ?),"
                        " error = NULL WHERE id = ?",
                        (holder, now + LEASE_S, now, job_id),
                    )
                    return str(job_id)
            return None

        found = self._file.write(write)
        return None if found is None else self.get(found)

    def renew(self, job_id: str, holder: str) -> None:
        """Say that the work goes on; raises LeaseLost."""
        self._held(job_id, holder, "UPDATE job SET lease = ? WHERE id = ?", (time.time() + LEASE_S, job_id))

    def note(self, job_id: str, holder: str, noted: Noted, summary: dict[str, Any], seconds: float) -> None:
        """Keep a finished chunk, whose part is on disk already, and the seconds since the last one; LeaseLost."""

        def write(connection: sqlite3.Connection) -> None:
            _check_held(connection, job_id, holder)
            connection.execute(
                "INSERT OR REPLACE INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job_id,
                    noted.number,
                    noted.source,
                    noted.explained,
                    noted.rejected,
                    noted.skipped,
                    noted.read,
                    noted.rows_sha256,
                    noted.rejects_sha256,
                    json.dumps(summary),
                ),
            )
            connection.execute(
                "UPDATE job SET lease = ?, seconds = seconds + ?, failures = 0 WHERE id = ?",
                (time.time() + LEASE_S, seconds, job_id),
            )

        self._file.write(write)

    def chunks(self, job_id: str) -> dict[int, Noted]:
        """The finished chunks by number."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT number, source, explained, rejected, skipped, read, rows_sha256, rejects_sha256 FROM chunk"
                " WHERE job = ? ORDER BY number",
                (job_id,),
            )
            return {row[0]: Noted(*row) for row in rows}

    def summaries(self, job_id: str) -> Iterator[dict[str, Any]]:
        """The sums of the finished chunks, in their order."""
        with self._file.reading() as connection:
            for (text,) in connection.execute("SELECT summary FROM chunk WHERE job = ? ORDER BY number", (job_id,)):
                yield json.loads(text)

    def forget(self, job_id: str, holder: str, numbers: Sequence[int]) -> None:
        """Take notes back whose parts are not on disk as they should be."""

        def write(connection: sqlite3.Connection) -> None:
            _check_held(connection, job_id, holder)
            connection.executemany(
                "DELETE FROM chunk WHERE job = ? AND number = ?", [(job_id, number) for number in numbers]
            )

        self._file.write(write)

    def finish(self, job_id: str, holder: str, expires: float | None) -> None:
        query = "UPDATE job SET state = 'done', ended = ?, expires = ?, holder = NULL, lease = NULL WHERE id = ?"
        self._held(job_id, holder, query, (time.time(), expires, job_id))

    def fail(self, job_id: str, holder: str, error: str, expires: float | None) -> None:
        query = (
            "UPDATE job SET state = 'failed', error = ?, ended = ?, expires = ?, holder = NULL, lease = NULL "
            "WHERE id = ?"
        )
        self._held(job_id, holder, query, (error, time.time(), expires, job_id))

    def give_back(self, job_id: str, holder: str, *, error: str | None = None, wait_s: float = 0.0) -> int:
        """Put an export back into the queue, for a while; how often in a row that was done without a chunk between."""

        def write(connection: sqlite3.Connection) -> int:
            _check_held(connection, job_id, holder)
            connection.execute(
                "UPDATE job SET state = 'queued', holder = NULL, lease = NULL, error = ?, not_before = ?,"
                " failures = failures + ? WHERE id = ?",
                (error, time.time() + wait_s, int(error is not None), job_id),
            )
            return int(connection.execute("SELECT failures FROM job WHERE id = ?", (job_id,)).fetchone()[0])

        return self._file.write(write)

    def change(self, job_id: str, to: State, allowed: Sequence[State], expires: float | None = None) -> Job:
        """Move an export to another state, whoever works on it notices; raises NotFound, Conflict."""

        def write(connection: sqlite3.Connection) -> None:
            row = connection.execute("SELECT state FROM job WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                raise NotFound(f"There is no export {job_id[:40]!r}.")
            if row[0] not in allowed:
                raise Conflict(f"Export {job_id} is {row[0]}; that is possible while it is {' or '.join(allowed)}.")
            ended = time.time() if to in ("cancelled", "expired") else None
            connection.execute(
                "UPDATE job SET state = ?, holder = NULL, lease = NULL, not_before = 0, ended = COALESCE(ended, ?),"
                " expires = COALESCE(?, expires) WHERE id = ?",
                (to, ended, expires, job_id),
            )

        self._file.write(write)
        return self.get(job_id)

    def expired(self, now: float | None = None) -> list[Job]:
        """Exports whose files are to go."""
        query = f"{SELECT} WHERE expires <= ? AND state != 'expired' GROUP BY job.id"
        with self._file.reading() as connection:
            return [_job(row) for row in connection.execute(query, (time.time() if now is None else now,))]

    def settle(self, job_id: str) -> None:
        """Say that the files of an export are gone; a cancelled one stays cancelled."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE job SET state = CASE state WHEN 'cancelled' THEN state ELSE 'expired' END, expires = NULL"
                " WHERE id = ? AND state NOT IN (?, ?, ?)",
                (job_id, *OPEN),
            )

        self._file.write(write)

    def failures(self, job_id: str) -> int:
        """How often in a row it was put back without a finished chunk between."""
        with self._file.reading() as connection:
            row = connection.execute("SELECT failures FROM job WHERE id = ?", (job_id,)).fetchone()
        return 0 if row is None else int(row[0])

    def backup_to(self, path: Path) -> None:
        self._file.backup_to(path)

    def close(self) -> None:
        self._file.close()

    def _held(self, job_id: str, holder: str, query: str, given: Sequence[Any]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            _check_held(connection, job_id, holder)
            connection.execute(query, given)

        self._file.write(write)


def new_id() -> str:
    """`exp_` and 26 random characters: nobody finds an export by trying."""
    return "exp_" + "".join(secrets.choice(ALPHABET) for _ in range(26))


def _check_held(connection: sqlite3.Connection, job_id: str, holder: str) -> None:
    row = connection.execute("SELECT state, holder FROM job WHERE id = ?", (job_id,)).fetchone()
    if row is None or row[0] != "running" or row[1] != holder:
        state = "removed" if row is None else row[0]
        raise LeaseLost(f"Export {job_id} is {state}, or another runner works on it; this one stops.")


def _job(row: Sequence[Any]) -> Job:
    spec: Spec = from_json(json.loads(row[6]))
    progress = Progress(row[14], row[15], row[16], row[17], row[18], row[7])
    job_id, principal, role, state, priority, created = row[:6]
    started, ended, expires, seconds, error, holder = row[8:14]
    return Job(
        job_id,
        principal,
        role,
        state,
        priority,
        created,
        spec,
        progress,
        started,
        ended,
        expires,
        seconds,
        error,
        holder,
    )
