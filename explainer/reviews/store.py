"""Decisions and what people entered about them, in the ledger's file; each change is a job for its transaction."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from explainer.durable import DurableFile, Job, ids
from explainer.errors import Conflict, NotFound, StorageFailed
from explainer.reviews.covering import Covers, owner_of, particulars_bytes, particulars_of
from explainer.reviews.decision import WAITING, Case, Facts, Flag, Particulars, State, Verdict
from explainer.reviews.layout import FACTS, SCHEMA, STATE, VERDICT
from explainer.reviews.wanted import Wanted

PREFIX = "dec"
FORM = re.compile(f"{PREFIX}_[{ids.ALPHABET}]{{26}}")
COUNT = len(FACTS.split(","))
CASE = f"{FACTS}, {STATE}, external, subject, sealed, key, checksum"
INSERT = (
    f"INSERT INTO decisions ({CASE}, waiting, priority, margin) "  # noqa: S608
    f"VALUES ({', '.join('?' * (COUNT + 4 + 5 + 3))})"
)
ONE = f"SELECT {CASE} FROM decisions WHERE id = ?"  # noqa: S608
ENTERED = f"SELECT {VERDICT} FROM verdicts WHERE decision = ? ORDER BY number"  # noqa: S608
CHANGE = "UPDATE decisions SET status = ?, waiting = ?, assignee = ?, entries = ?, decided_at = ? WHERE id = ?"
ENTER = f"INSERT INTO verdicts ({VERDICT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
RECENT = f"SELECT {CASE} FROM decisions WHERE model = ? AND digest = ? ORDER BY id DESC LIMIT ?"  # noqa: S608
PARTICULARS, WORDS = "decision", "verdict"
VISIT = timedelta(minutes=30)


def new_id(at_s: float | None = None) -> str:
    return ids.new_id(PREFIX, at_s)


class ReviewStore:
    """Raises StorageFailed when what is kept cannot be read or is not what was written, KeyMissing without its key."""

    def __init__(self, file: DurableFile, covers: Covers) -> None:
        self._file, self._covers = file, covers
        file.add(SCHEMA)

    # --- decisions ---------------------------------------------------------------------------------------------------

    def creation(self, facts: Facts, particulars: Particulars) -> Job[None]:
        """A job that keeps a decision; it raises Conflict where the model has one of this external id."""
        external = self.external_mark(facts.model, particulars.external_id)
        subject = self._covers.mark(particulars.subject) if particulars.subject else None
        plain, state = particulars_bytes(particulars), State()
        clear = _clear(facts)

        def keep(connection: sqlite3.Connection) -> None:
            owner, place = owner_of(facts.id, subject), (PARTICULARS, facts.id)
            sealed, key = self._covers.cover_bytes(connection, owner, plain, place)
            check = checksum((*clear, external, subject, sealed))
            margin = abs(facts.score - facts.threshold)
            values = (*clear, *astuple(state), external, subject, sealed, key, check, 1, facts.priority, margin)
            try:
                connection.execute(INSERT, values)
            except sqlite3.IntegrityError as error:
                raise Conflict(
                    f"external_id: {facts.model} has a decision of this external id already; look it up by "
                    "GET /api/v1/decisions?external_id=..."
                ) from error

        return keep

    def external_mark(self, model: str, external_id: str) -> bytes | None:
        return self._covers.mark(f"external {model} {external_id}") if external_id else None

    def get(self, decision_id: str) -> Case:
        """Raises NotFound."""
        if FORM.fullmatch(decision_id) is None:
            raise NotFound("This is not the form of a decision's id: dec_ and 26 characters.")
        with self._file.reading() as connection:
            found = connection.execute(ONE, (decision_id,)).fetchone()
        if found is None:
            raise NotFound(f"There is no decision {decision_id}.")
        return self._case(found)

    def page(self, wanted: Wanted) -> list[Case]:
        """One page. Raises InvalidOption for words that no query has."""
        wanted.check()
        condition, values = wanted.where()
        chosen = f"SELECT id AS chosen FROM decisions WHERE {condition} ORDER BY {wanted.order} LIMIT ? OFFSET ?"  # noqa: S608
        query = f"SELECT {CASE} FROM ({chosen}) JOIN decisions ON id = chosen ORDER BY {wanted.order}"  # noqa: S608
        with self._file.reading() as connection:
            rows = connection.execute(query, (*values, wanted.limit, wanted.offset)).fetchall()
        return [self._case(row) for row in rows]

    def count(self, wanted: Wanted) -> int:
        wanted.check()
        condition, values = wanted.where()
        with self._file.reading() as connection:
            query = f"SELECT COUNT(*) FROM decisions WHERE {condition}"  # noqa: S608
            return int(connection.execute(query, values).fetchone()[0])

    def tallies(self, wanted: Wanted) -> dict[str, int]:
        """How many of what `wanted` shows, whichever flag it asks for, carry each flag, by the flag's word."""
        condition, values = replace(wanted, flag=None).where()
        with self._file.reading() as connection:
            query = f"SELECT flags, COUNT(*) FROM decisions WHERE {condition} GROUP BY flags"  # noqa: S608
            found = connection.execute(query, values).fetchall()
        return {flag.word: sum(n for flags, n in found if flags & flag) for flag in Flag}

    def recent(self, model: str, digest: str, most: int) -> list[Case]:
        """The newest decisions of one version, whatever became of them."""
        with self._file.reading() as connection:
            rows = connection.execute(RECENT, (model, digest, most)).fetchall()
        return [self._case(row) for row in rows]

    # --- what people enter -------------------------------------------------------------------------------------------

    def verdicts(self, decision_id: str) -> list[Verdict]:
        """Everything entered about a decision, oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(ENTERED, (decision_id,)).fetchall()
        return [self._verdict(row) for row in rows]

    def entering(self, case: Case, verdict: Verdict, assignee: str) -> Job[None]:
        """A job that adds an entry; it raises Conflict where the case is not any longer as it was."""
        words = orjson.dumps([verdict.name, verdict.reason, verdict.text])
        waiting = verdict.status in WAITING
        decided = "" if waiting else verdict.at
        facts, number = case.facts, case.state.entries + 1

        def enter(connection: sqlite3.Connection) -> None:
            query = "SELECT entries, subject FROM decisions WHERE id = ?"
            found = connection.execute(query, (facts.id,)).fetchone()
            if found is None or found[0] != case.state.entries:
                raise Conflict("Somebody entered something a moment ago: look at the case again, then decide.")
            owner, place = owner_of(facts.id, found[1]), (WORDS, facts.id, str(number))
            sealed, key = self._covers.cover_bytes(connection, owner, words, place)
            known = (number, facts.id, verdict.at, verdict.principal, verdict.kind, verdict.seconds)
            connection.execute(ENTER, (*known, verdict.status, verdict.outcome, sealed, key))
            again = "UPDATE looks SET at = ? WHERE decision = ? AND principal = ?"
            connection.execute(again, (verdict.at, facts.id, verdict.principal))
            connection.execute(CHANGE, (verdict.status, int(waiting), assignee, number, decided, facts.id))

        return enter

    def assigning(self, decision_id: str, assignee: str) -> Job[None]:
        """A job that gives the case to a person, or with an empty id to nobody."""

        def assign(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE decisions SET assignee = ? WHERE id = ?", (assignee, decision_id))

        return assign

    def look(self, decision_id: str, principal: str, at: datetime, *, answer: bool) -> Job[None]:
        """A job that notes when somebody began to look at the case, and whether they saw the model's answer, ever.

        Who comes back within VISIT has been looking since they came first.
        """
        add = (
            "INSERT INTO looks VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "at = CASE WHEN at < ? THEN excluded.at ELSE at END, answer = max(answer, excluded.answer)"
        )
        now, since = at.isoformat(timespec="seconds"), (at - VISIT).isoformat(timespec="seconds")

        def note(connection: sqlite3.Connection) -> None:
            connection.execute(add, (decision_id, principal, now, int(answer), since))

        return note

    def looked(self, decision_id: str, principal: str) -> tuple[str, bool] | None:
        """Since when this person looks at the case, or looked last, and whether they have seen the answer."""
        query = "SELECT at, answer FROM looks WHERE decision = ? AND principal = ?"
        with self._file.reading() as connection:
            found = connection.execute(query, (decision_id, principal)).fetchone()
        return None if found is None else (found[0], bool(found[1]))

    def looks(self, decision_id: str) -> list[tuple[str, str, bool]]:
        """Everybody who opened the case: who, when last, and whether they have seen the answer; by time."""
        query = "SELECT principal, at, answer FROM looks WHERE decision = ? ORDER BY at"
        with self._file.reading() as connection:
            return [(who, at, bool(answer)) for who, at, answer in connection.execute(query, (decision_id,))]

    # --- saved views -------------------------------------------------------------------------------------------------

    def views(self, principal: str) -> list[tuple[str, str]]:
        """Names and queries, by name."""
        with self._file.reading() as connection:
            query = "SELECT name, query FROM views WHERE principal = ? ORDER BY name"
            return [(name, text) for name, text in connection.execute(query, (principal,))]

    def saving_view(self, principal: str, name: str, query: str) -> Job[None]:
        def save(connection: sqlite3.Connection) -> None:
            connection.execute("REPLACE INTO views VALUES (?, ?, ?)", (principal, name, query))

        return save

    def forgetting_view(self, principal: str, name: str) -> Job[None]:
        def forget(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM views WHERE principal = ? AND name = ?", (principal, name))

        return forget

    # --- erasure -----------------------------------------------------------------------------------------------------

    def of_subject(self, mark: bytes) -> list[Case]:
        with self._file.reading() as connection:
            query = f"SELECT {CASE} FROM decisions WHERE subject = ? ORDER BY id"  # noqa: S608
            rows = connection.execute(query, (mark,)).fetchall()
        return [self._case(row) for row in rows]

    def erasure(self, mark: bytes) -> Job[None]:
        """A job that takes everything that tells of a subject out of its decisions; that there were some stays."""

        def erase(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA secure_delete=ON")
            found = [i for (i,) in connection.execute("SELECT id FROM decisions WHERE subject = ?", (mark,))]
            for decision_id in found:
                empty_case(connection, decision_id)
            connection.execute("DELETE FROM receipt_keys WHERE owner = ?", (owner_of("", mark),))

        return erase

    # -----------------------------------------------------------------------------------------------------------------

    def _case(self, row: Sequence[Any]) -> Case:
        clear, state = row[:COUNT], State(*row[COUNT : COUNT + 4])
        external, subject, sealed, key, check = row[COUNT + 4 :]
        facts = _facts(clear)
        if sealed is None:
            return Case(facts, state, None)
        if check != checksum((*clear, external, subject, sealed)):
            raise StorageFailed(f"Decision {facts.id} is damaged: it is not what was written. Restore a backup.")
        plain = self._covers.uncover_bytes(sealed, key, (PARTICULARS, facts.id))
        return Case(facts, state, particulars_of(plain))

    def _verdict(self, row: Sequence[Any]) -> Verdict:
        number, decision, at, principal, kind, seconds, status, outcome, sealed, key = row
        name = reason = text = ""
        if sealed is not None:
            place = (WORDS, decision, str(number))
            name, reason, text = orjson.loads(self._covers.uncover_bytes(sealed, key, place))
        return Verdict(number, decision, at, principal, name, kind, reason, text, seconds, status, outcome)


def empty_case(connection: sqlite3.Connection, decision_id: str) -> None:
    """Take everything that tells of a person out of a decision and of what was entered about it."""
    connection.execute("UPDATE verdicts SET sealed = NULL, key = NULL WHERE decision = ?", (decision_id,))
    connection.execute(
        "UPDATE decisions SET sealed = NULL, key = NULL, external = NULL, subject = NULL, score = 0, threshold = 0, "
        "margin = 0, leading = '', flags = 0, priority = 0, waiting = 0, status = 'erased', assignee = '', "
        "checksum = x'' WHERE id = ?",
        (decision_id,),
    )


def _clear(facts: Facts) -> tuple[Any, ...]:
    values = astuple(facts)
    return (*values[:10], int(facts.adverse), *values[11:14], int(facts.flags), *values[15:17], int(facts.blind))


def _facts(row: Sequence[Any]) -> Facts:
    values: list[Any] = [*row[:10], bool(row[10]), *row[11:14], Flag(row[14]), *row[15:17], bool(row[17])]
    return Facts(*values)


def checksum(parts: Sequence[Any]) -> bytes:
    written = [part if isinstance(part, bytes) else repr(part).encode() for part in parts]
    return sha256(b"".join([len(part).to_bytes(8, "big") + part for part in written])).digest()
