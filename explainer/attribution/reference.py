"""Rows that a request brings as its background: one is a baseline, several are a cohort."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from explainer.attribution.maskers import canonical
from explainer.records import BackgroundRows, FloatArray

NAME = "rows"


def brought(rows: FloatArray) -> BackgroundRows:
    """Coded rows (n, features) in the one form that all requests share that mean the same background.

    The order of rows does not count, nor how a zero or a missing value is written; how often a row occurs does: it
    is its weight. Raises ValueError when there are none.
    """
    if len(rows) == 0:
        raise ValueError("A background needs at least one row.")
    data = b"".join(sorted(row.tobytes() for row in canonical(rows)))
    return BackgroundRows(digest_of(rows.shape[1], data), rows.shape[1], data)


def digest_of(features: int, data: bytes) -> str:
    """The digest that rows of this width and these bytes have."""
    return sha256(features.to_bytes(8, "little") + data).hexdigest()


def rows_of(given: BackgroundRows) -> FloatArray:
    """The coded rows, shape (n, features), equal ones as often as they were sent."""
    return np.frombuffer(given.data, dtype="<f8").reshape(-1, given.features)
