"""Receipts in one SQLite file: on disk before the answer leaves, and found damaged rather than believed."""

from __future__ import annotations

import dataclasses
import re
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from explainer.attribution.reference import digest_of
from explainer.durable import DurableFile
from explainer.errors import NotFound, StorageFailed
from explainer.records import BackgroundRows, ExplainOptions, Receipt

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: sorts as its values do, no I, L, O, U
FORM = re.compile(f"rcp_[{ALPHABET}]{{26}}")
COLUMNS = "id, created_at, principal, model, version, model_digest, options, row, answer, answer_sha256"
SCHEMA = """
CREATE TABLE IF NOT EXISTS receipts (
  id TEXT PRIMARY KEY, created_at TEXT NOT NULL, principal TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  model_digest TEXT NOT NULL, options BLOB NOT NULL, row BLOB NOT NULL, answer BLOB NOT NULL,
  answer_sha256 TEXT NOT NULL, checksum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS backgrounds (digest TEXT PRIMARY KEY, features INTEGER NOT NULL, data BLOB NOT NULL)
"""


def new_id(at_s: float | None = None) -> str:
    """Return `rcp_` and 26 characters: 48 bits of milliseconds since 1970, then 80 random bits.

    Ids sort by the millisecond of `at_s` (seconds since 1970, default now); within one their order is random.
    """
    milliseconds = int((time.time() if at_s is None else at_s) * 1000)
    number = (milliseconds << 80) | secrets.randbits(80)
    return "rcp_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))


class ReceiptStore:
    """Raises StorageFailed when receipts cannot be kept or read."""

    def __init__(self, path: Path) -> None:
        self._file = DurableFile(path, SCHEMA)

    def put_many(self, receipts: Sequence[Receipt]) -> None:
        """Keep all of them or none; returns when they are on disk."""
        records = [_record(receipt) for receipt in receipts]
        brought = {b.digest: b for r in receipts if isinstance(b := r.options.background, BackgroundRows)}

        def insert(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR IGNORE INTO backgrounds (digest, features, data) VALUES (?,?,?)",
                [(b.digest, b.features, b.data) for b in brought.values()],
            )
            connection.executemany(
                f"INSERT INTO receipts ({COLUMNS}, checksum) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
                [(*record, _checksum(record)) for record in records],
            )

        if records:
            self._file.write(insert)

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
            *record, checksum = found
            if checksum != _checksum(record):
                raise StorageFailed(f"Receipt {receipt_id} is damaged: it is not what was written. Restore a backup.")
            receipt = _receipt(record)
            return replace(receipt, options=replace(receipt.options, background=_background(connection, receipt)))

    def backup_to(self, path: Path) -> None:
        """Write a consistent copy to a new file."""
        self._file.backup_to(path)

    def close(self) -> None:
        self._file.close()


def _record(receipt: Receipt) -> tuple[Any, ...]:
    if sha256(receipt.answer).hexdigest() != receipt.answer_sha256:
        raise StorageFailed(f"Receipt {receipt.id} was not kept: answer_sha256 is not the digest of its answer.")
    return (
        receipt.id,
        receipt.created_at,
        receipt.principal,
        receipt.model,
        receipt.version,
        receipt.model_digest,
        _options(receipt.options),
        np.asarray(receipt.row, dtype="<f8").tobytes(),
        receipt.answer,
        receipt.answer_sha256,
    )


def _options(options: ExplainOptions) -> bytes:
    """As JSON; rows that the request brought stand in a table of their own, once for all receipts."""
    plain = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    if isinstance(options.background, BackgroundRows):
        plain["background"] = {"rows": options.background.digest}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


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


def _receipt(record: Sequence[Any]) -> Receipt:
    id_, created_at, principal, model, version, digest, options, row, answer, answer_sha256 = record
    known = {f.name for f in dataclasses.fields(ExplainOptions)}
    given = orjson.loads(options)
    if unknown := sorted(set(given) - known):
        raise StorageFailed(f"Receipt {id_} has the setting {unknown[0]!r}, which this program does not know.")
    return Receipt(
        id=id_,
        created_at=created_at,
        principal=principal,
        model=model,
        version=version,
        model_digest=digest,
        options=ExplainOptions(**given),
        row=tuple(np.frombuffer(row, dtype="<f8").tolist()),
        answer=answer,
        answer_sha256=answer_sha256,
    )


def _checksum(record: Sequence[Any]) -> bytes:
    hashed = sha256()
    for part in record:
        data = part if isinstance(part, bytes) else str(part).encode()
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.digest()
