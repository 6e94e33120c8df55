"""Makes a receipt for every answered row, to be written together with the ledger's entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from explainer.durable import Job
from explainer.receipts.store import new_id
from explainer.records import ExplainOptions, FloatArray, ModelVersion, Receipt
from explainer.usecases.answering import Answer
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class About:
    """What was asked of which version, and about whom, where the caller said it; the reference itself is never kept."""

    version: ModelVersion
    options: ExplainOptions
    subject: str | None = None


def receipts_for(
    rooms: Rooms, caller: Caller, about: About, rows: FloatArray, answers: list[Answer]
) -> tuple[list[str], Job[None]]:
    """Return the receipts' ids in row order, and what has to be written before they may be told.

    The same answer to the same question of the same principal keeps the receipt that it has. Raises StorageFailed.
    """
    version = about.version
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return rooms.receipts.settle(
        [
            Receipt(
                id=new_id(),
                created_at=now,
                principal=caller.principal.id,
                model=version.manifest.name,
                version=version.manifest.version,
                model_digest=version.digest,
                options=about.options,
                row=tuple(row.tolist()),
                answer=answer.stored,
                answer_sha256=sha256(answer.stored).hexdigest(),
            )
            for row, answer in zip(rows, answers, strict=True)
        ],
        about.subject,
    )
