"""Receipts in one SQLite file: on disk before the answer leaves, and found damaged rather than believed."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from explainer.attribution.reference import digest_of
from explainer.durable import DurableFile, Job, ids
from explainer.errors import NotFound, StorageFailed
from explainer.receipts.answered_by import AnsweredBy
from explainer.receipts.earlier import take_in
from explainer.receipts.seals import Seals
from explainer.receipts.written import COLUMNS, checksum, receipt_of, record_of
from explainer.records import BackgroundRows, Receipt
from explainer.sealing import MasterKeys

FORM = re.compile(f"rcp_[{ids.ALPHABET}]{{26}}")
# `content` may be there twice: two processes that answer the same at the same moment each write a receipt.
SCHEMA = """
CREATE TABLE IF NOT EXISTS receipts (
  id TEXT PRIMARY KEY, created_at TEXT NOT NULL, principal TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  model_digest TEXT NOT NULL, options BLOB NOT NULL, row BLOB NOT NULL, answer BLOB NOT NULL,
  answer_sha256 TEXT NOT NULL, checksum BLOB NOT NULL, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS receipts_by_content ON receipts (content);
CREATE TABLE IF NOT EXISTS backgrounds (digest TEXT PRIMARY KEY, features INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS erased (mark BLOB PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS periods (model TEXT PRIMARY KEY, days INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS holds (
  kind TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (kind, name)
)
"""
# Added later: the number of the key that seals a receipt, whom it is about, and the background that it needs.
ADDED = {"key": "INTEGER", "subject": "BLOB", "background": "TEXT"}
BY_SUBJECT = "CREATE INDEX IF NOT EXISTS receipts_by_subject ON receipts (subject) WHERE subject IS NOT NULL"
INSERT = (
    f"INSERT INTO receipts ({COLUMNS}, checksum, key, content, subject, background) "  # noqa: S608
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
KEEP_BACKGROUND = "INSERT OR IGNORE INTO backgrounds (digest, features, data) VALUES (?,?,?)"
KNOWN = "SELECT 1 FROM receipts WHERE id = ?"


class Gone(NotFound):
    """A receipt that was to be named once more is not there any longer."""


@dataclass(frozen=True, slots=True)
class New:
    """A receipt that is to be written: its record, the background that its request brought, what it is about."""

    record: tuple[Any, ...]
    brought: BackgroundRows | None
    content: bytes


def new_id(at_s: float | None = None) -> str:
    """Return `rcp_` and 26 characters: see `durable.ids`."""
    return ids.new_id("rcp", at_s)


class ReceiptStore:
    """Writes are jobs for a transaction of the same file: the ledger's, so that neither is there without the other.

    Raises StorageFailed when receipts cannot be kept or read.
    """

    def __init__(self, file: DurableFile, earlier: Path | None = None, masters: MasterKeys | None = None) -> None:
        """Keep receipts in `file`, sealed where there are `masters`.

        Those in `earlier`, a file of their own as there once was, are taken in first.
        """
        self._file = file
        file.add(SCHEMA)
        file.write(_add_columns)
        self.seals = Seals(file, masters)
        self.answered_by = AnsweredBy(file)
        if earlier is not None:
            take_in(file, earlier)

    @property
    def file(self) -> DurableFile:
        return self._file

    def settle(self, receipts: Sequence[Receipt], subject: str | None = None) -> tuple[list[str], Job[None]]:
        """Return the ids under which the receipts stand once the job is done, in their order.

        Where the same principal was given the same answer to the same question before, that receipt is named again and
        nothing is written; so it is for equal receipts among these. All are about `subject`, where there is one.
        """
        records = [record_of(receipt) for receipt in receipts]
        mark = None if subject is None else self.seals.mark(subject)
        contents = [self.seals.content(record, mark) for record in records]
        ids = self._known(contents)
        for record, content in zip(records, contents, strict=True):
            ids.setdefault(content, record[0])
        chosen = {
            ids[content]: New((ids[content], *record[1:]), _brought(receipt), content)
            for content, record, receipt in zip(contents, records, receipts, strict=True)
        }

        def keep(connection: sqlite3.Connection) -> None:
            new = [one for id_, one in chosen.items() if connection.execute(KNOWN, (id_,)).fetchone() is None]
            if new:
                self._insert(connection, new, mark)

        return [ids[content] for content in contents], keep

    def still(self, receipt_ids: Sequence[str]) -> Job[None]:
        """A job that raises Gone unless all of these receipts are there in the moment of its transaction."""

        def look(connection: sqlite3.Connection) -> None:
            for receipt_id in receipt_ids:
                if connection.execute(KNOWN, (receipt_id,)).fetchone() is None:
                    raise Gone(f"There is no receipt {receipt_id} any longer.")

        return look

    def put_many(self, receipts: Sequence[Receipt]) -> None:
        """Keep all of them, each under its own id, or none; returns when they are on disk."""
        records = [record_of(receipt) for receipt in receipts]
        new = [New(r, _brought(given), self.seals.content(r, None)) for r, given in zip(records, receipts, strict=True)]
        if new:
            self._file.write(lambda connection: self._insert(connection, new, None))

    def get(self, receipt_id: str) -> Receipt:
        """Raises NotFound when there is no such receipt, StorageFailed when what is kept is not what was written.

        KeyMissing, which is a StorageFailed, when the key that sealed it was not given or was destroyed.
        """
        if FORM.fullmatch(receipt_id) is None:
            raise NotFound("This is not the form of a receipt's id: rcp_ and 26 characters.")
        with self._file.reading() as connection:
            query = f"SELECT {COLUMNS}, checksum, key FROM receipts WHERE id = ?"  # noqa: S608
            found = connection.execute(query, (receipt_id,)).fetchone()
        if found is None:
            raise NotFound(f"There is no receipt {receipt_id}.")
        return self.read(found)

    def read(self, found: Sequence[Any]) -> Receipt:
        """The receipt of a row of COLUMNS, checksum and key. Raises as `get` does."""
        *record, kept, key = found
        if key is not None:
            receipt = receipt_of(self.seals.uncover(record, key))
        elif kept == checksum(record):
            receipt = receipt_of(record)
        else:
            raise StorageFailed(f"Receipt {record[0]} is damaged: it is not what was written. Restore a backup.")
        background = self._background(receipt, sealed=key is not None)
        return replace(receipt, options=replace(receipt.options, background=background))

    def _known(self, contents: Sequence[bytes]) -> dict[bytes, str]:
        query = "SELECT id FROM receipts WHERE content = ? ORDER BY id LIMIT 1"
        with self._file.reading() as connection:
            found = {content: connection.execute(query, (content,)).fetchone() for content in set(contents)}
        return {content: row[0] for content, row in found.items() if row is not None}

    def _insert(self, connection: sqlite3.Connection, new: Sequence[New], mark: bytes | None) -> None:
        names: dict[str, str] = {}
        for brought in [one.brought for one in new if one.brought is not None]:
            if brought.digest not in names:
                covered = self.seals.cover_background(connection, brought)
                connection.execute(KEEP_BACKGROUND, covered)
                names[brought.digest] = covered[0]
        for one in new:
            name = None if one.brought is None else names[one.brought.digest]
            connection.execute(INSERT, (*self.seals.cover(connection, one.record, mark), one.content, mark, name))

    def _background(self, receipt: Receipt, *, sealed: bool) -> str | BackgroundRows:
        named: Any = receipt.options.background
        if not isinstance(named, dict):
            return receipt.options.background
        digest = named["rows"]
        name = self.seals.background_name(digest) if sealed else digest
        with self._file.reading() as connection:
            found = connection.execute("SELECT features, data FROM backgrounds WHERE digest = ?", (name,)).fetchone()
        if found is not None:
            data = self.seals.uncover_background(name, found[1]) if sealed else found[1]
            if digest_of(found[0], data) == digest:
                return BackgroundRows(digest, found[0], data)
        raise StorageFailed(f"Receipt {receipt.id} is damaged: its background is not what was written.")


def _brought(receipt: Receipt) -> BackgroundRows | None:
    background = receipt.options.background
    return background if isinstance(background, BackgroundRows) else None


def _add_columns(connection: sqlite3.Connection) -> None:
    """For files that an earlier version made."""
    there = {name for _, name, *_ in connection.execute("PRAGMA table_info(receipts)")}
    for name, kind in ADDED.items():
        if name not in there:
            connection.execute(f"ALTER TABLE receipts ADD COLUMN {name} {kind}")
    connection.execute(BY_SUBJECT)
