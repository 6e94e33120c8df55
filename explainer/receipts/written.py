"""How a receipt is written down: its columns, a checksum over all of them, and a digest of what it is about."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import orjson

from explainer.errors import StorageFailed
from explainer.records import BackgroundRows, ExplainOptions, Receipt

COLUMNS = "id, created_at, principal, model, version, model_digest, options, row, answer, answer_sha256"
CONTENT_BYTES = 16


def record_of(receipt: Receipt) -> tuple[Any, ...]:
    """The values of COLUMNS; raises StorageFailed when `answer_sha256` is not the digest of the answer."""
    if sha256(receipt.answer).hexdigest() != receipt.answer_sha256:
        raise StorageFailed(f"Receipt {receipt.id} was not kept: answer_sha256 is not the digest of its answer.")
    return (
        receipt.id,
        receipt.created_at,
        receipt.principal,
        receipt.model,
        receipt.version,
        receipt.model_digest,
        options_json(receipt.options),
        np.asarray(receipt.row, dtype="<f8").tobytes(),
        receipt.answer,
        receipt.answer_sha256,
    )


def receipt_of(record: Sequence[Any]) -> Receipt:
    """The receipt of one record; a background that the request brought is still the name of its rows."""
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


def options_json(options: ExplainOptions) -> bytes:
    """As JSON; rows that the request brought stand in a table of their own, once for all receipts."""
    plain = {name: getattr(options, name) for name in SETTINGS}
    if isinstance(options.background, BackgroundRows):
        plain["background"] = {"rows": options.background.digest}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


SETTINGS = tuple(f.name for f in dataclasses.fields(ExplainOptions))


def content_of(record: Sequence[Any]) -> bytes:
    """16 bytes that two receipts share when who asked, what was asked and what was answered are the same."""
    principal, model, version, digest, options, row, _, answer_sha256 = record[2:]
    return _digest((principal, model, version, digest, options, row, answer_sha256))[:CONTENT_BYTES]


def checksum(record: Sequence[Any]) -> bytes:
    return _digest(record)


def _digest(parts: Sequence[Any]) -> bytes:
    written = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    return sha256(b"".join([len(part).to_bytes(8, "big") + part for part in written])).digest()
