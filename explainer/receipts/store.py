"""Receipts in one SQLite file: on disk before the answer leaves, and found damaged rather than believed."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from explainer.attribution.reference import digest_of
from explainer.durable import DurableFile, Job
from explainer.errors import NotFound, StorageFailed
from explainer.receipts.earlier import take_in
from explainer.receipts.written import COLUMNS, checksum, content_of, receipt_of, record_of
from explainer.records import BackgroundRows, Receipt

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: sorts as its values do, no I, L, O, U
FORM = re.compile(f"rcp_[{ALPHABET}]{{26}}")
# `content` may be there twice: two processes that answer the same at the same moment each write a receipt.
SCHEMA = """
CREATE TABLE IF NOT EXISTS receipts (
  id TEXT PRIMARY KEY, created_at TEXT NOT NULL, principal TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  model_digest TEXT NOT NULL, options BLOB NOT NULL, row BLOB NOT NULL, answer BLOB NOT NULL,
  answer_sha256 TEXT NOT NULL, checksum BLOB NOT NULL, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS receipts_by_content ON receipts (content);
CREATE TABLE IF NOT EXISTS backgrounds (digest TEXT PRIMARY KEY, features INTEGER NOT NULL, data BLOB NOT NULL)
"""
INSERT = f"INSERT INTO receipts ({COLUMNS}, checksum, content) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
KNOWN = "SELECT 1 FROM receipts WHERE id = ?"


class Gone(NotFound):
    """A receipt that was to be named once more is not there any longer."""


def new_id(at_s: float | None = None) -> str:
    """Return `rcp_` and 26 characters: 48 bits of milliseconds since 1970, then 80 random bits.

    Ids sort by the millisecond of `at_s` (seconds since 1970, default now); within one their order is random.
    """
    milliseconds = int((time.time() if at_s is None else at_s) * 1000)
    number = (milliseconds << 80) | secrets.randbits(80)
    return "rcp_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))


class ReceiptStore:
    """Writes are jobs for a transaction of the same file: the ledger's, so that neither is there without the other.

    Raises StorageFailed when receipts cannot be kept or read.
    """

    def __init__(self, file: DurableFile, earlier: Path | None = None) -> None:
        """Keep receipts in `file`; those in `earlier`, a file of their own as there once was, are taken in first."""
        self._file = file
        file.add(SCHEMA)
        if earlier is not None:
            take_in(file, earlier)

    def settle(self, receipts: Sequence[Receipt]) -> tuple[list[str], Job[None]]:
        """Return the ids under which the receipts stand once the job is done, in their order.

        Where the same principal was given the same answer to the same question before, that receipt is named again and
        nothing is written; so it is for equal receipts among these.
        """
        records = [record_of(receipt) for receipt in receipts]
        contents = [content_of(record) for record in records]
        ids = self._known(contents)
        for record, content in zip(records, contents, strict=True):
            ids.setdefault(content, record[0])
        chosen = {ids[c]: (ids[c], *r[1:]) for c, r in zip(contents, records, strict=True)}
        brought = {b.digest: b for r in receipts if isinstance(b := r.options.background, BackgroundRows)}

        def keep(connection: sqlite3.Connection) -> None:
            new = [record for id_, record in chosen.items() if connection.execute(KNOWN, (id_,)).fetchone() is None]
            if new:
                _insert(connection, new, list(brought.values()))

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
        brought = {b.digest: b for r in receipts if isinstance(b := r.options.background, BackgroundRows)}
        if records:
            self._file.write(lambda connection: _insert(connection, records, list(brought.values())))

    def get(self, receipt_id: str) -> Receipt:
        """Raises NotFound when there is no such receipt, StorageFailed when what is kept is not what was written."""
        if FORM.fullmatch(receipt_id) is None:
            raise NotFound("This is not the form of a receipt's id: rcp_ and 26 characters.")
        with self._file.reading() as connection:
            found = connection.execute(
                f"SELECT {COLUMNS}, checksum FROM receipts WHERE id = ?",  # noqa: S608
                (receipt_id,),
            ).fetchone()
            if found is None:
                raise NotFound(f"There is no receipt {receipt_id}.")
            *record, kept = found
            if kept != checksum(record):
                raise StorageFailed(f"Receipt {receipt_id} is damaged: it is not what was written. Restore a backup.")
            receipt = receipt_of(record)
            return replace(receipt, options=replace(receipt.options, background=_background(connection, receipt)))

    def _known(self, contents: Sequence[bytes]) -> dict[bytes, str]:
        query = "SELECT id FROM receipts WHERE content = ? ORDER BY id LIMIT 1"
        with self._file.reading() as connection:
            found = {content: connection.execute(query, (content,)).fetchone() for content in set(contents)}
        return {content: row[0] for content, row in found.items() if row is not None}


def _insert(connection: sqlite3.Connection, records: Sequence[Any], brought: Sequence[BackgroundRows]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO backgrounds (digest, features, data) VALUES (?,?,?)",
        [(b.digest, b.features, b.data) for b in brought],
    )
    connection.executemany(INSERT, [(*record, checksum(record), content_of(record)) for record in records])


def _background(connection: sqlite3.Connection, receipt: Receipt) -> str | BackgroundRows:
    named: Any = receipt.options.background
    if not isinstance(named, dict):
        return receipt.options.background
    found = connection.execute(
        "SELECT digest, features, data FROM backgrounds WHERE digest = ?", (named["rows"],)
    ).fetchone()
    if found is None or digest_of(*found[1:]) != found[0]:
        raise StorageFailed(f"Receipt {receipt.id} is damaged: its background is not what was written.")
    return BackgroundRows(*found)
