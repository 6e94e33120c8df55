"""What an answer may cost and show: the budget is charged at admission, the policy is that of this moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from explainer.attribution.reference import rows_of
from explainer.cache.key import canonical
from explainer.disclosure.levels import Policy
from explainer.records import BackgroundRows, ExplainOptions, Explanation, FloatArray, Interactions, ModelVersion
from explainer.usecases.recording import Note
from explainer.usecases.rooms import Caller, Rooms


def policy(rooms: Rooms, caller: Caller, model: str) -> Policy:
    """What this caller may see of the model; raises NotPermitted when it was held back, StorageFailed."""
    return rooms.policies.of(caller.principal.role, model, caller.principal.id)


def charged(
    rooms: Rooms, caller: Caller, version: ModelVersion, rows: FloatArray, options: ExplainOptions | None = None
) -> tuple[bytes, ...]:
    """Charge for the rows, and for those that were brought as a background: their mean output is told.

    Returns what names them. Raises BudgetExhausted, StorageFailed.
    """
    given = None if options is None else options.background
    named = row_names(rooms, np.vstack([rows, rows_of(given)]) if isinstance(given, BackgroundRows) else rows)
    left = rooms.budgets.charge(caller.principal, version.manifest.name, version.digest, named)
    if left is not None:
        caller.left[:] = [left]
    return named


def spent(
    rooms: Rooms,
    caller: Caller,
    version: ModelVersion,
    found: Iterable[Sequence[Explanation | Interactions]],
    note: Note,
) -> None:
    """Count the evaluations of rows that were computed, in one transaction with the entry."""
    if rooms.budgets.limits(caller.principal, version.manifest.name).none:
        return
    taken = sum(max(e.method.evaluations for e in row) for row in found)
    count = rooms.budgets.spend(caller.principal, version.manifest.name, version.digest, taken)
    if count is not None:
        note.beside.append(count)


def row_names(rooms: Rooms, rows: FloatArray) -> tuple[bytes, ...]:
    """A name for each coded row (rows, features), keyed by the secret of the records' file.

    With a master key nobody who has the file alone can try out which rows were asked; without one the secret lies in
    the same file. Raises StorageFailed, KeyMissing.
    """
    return rooms.receipts.seals.row_names([row.tobytes() for row in canonical(rows)])
