"""Makes a receipt for every answered row and keeps it before the answer leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from explainer.receipts.store import new_id
from explainer.records import ExplainOptions, FloatArray, ModelVersion, Receipt
from explainer.usecases.answering import Answer
from explainer.usecases.rooms import Caller, Rooms


def keep_receipts(
    rooms: Rooms,
    caller: Caller,
    version: ModelVersion,
    options: ExplainOptions,
    rows: FloatArray,
    answers: list[Answer],
) -> list[str]:
    """Return the receipts' ids in row order; raises StorageFailed when they cannot be kept."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    receipts = [
        Receipt(
            id=new_id(),
            created_at=now,
            principal=caller.principal.id,
            model=version.manifest.name,
            version=version.manifest.version,
            model_digest=version.digest,
            options=options,
            row=tuple(row.tolist()),
            answer=answer.stored,
            answer_sha256=sha256(answer.stored).hexdigest(),
        )
        for row, answer in zip(rows, answers, strict=True)
    ]
    rooms.receipts.put_many(receipts)
    return [r.id for r in receipts]
