"""How a model's exception is put into words for the answer: its type and message, without any value of the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from explainer.records import FloatArray

LONGEST = 500
HIDDEN = "[value]"
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")


def describe(error: BaseException, rows: FloatArray | None, labels: Iterable[str] = ()) -> str:
    """Return `Type: message`, cut to 500 characters; numbers that occur in `rows` and all of `labels` are hidden.

    `rows` are the coded rows of the call, `labels` the names of categories that a row may hold.
    """
    message = str(error)[: 4 * LONGEST]
    for label in sorted({label for label in labels if label}, key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(label)}(?!\w)", HIDDEN, message)
    if rows is not None and rows.size:
        held = np.unique(rows[np.isfinite(rows)])
        message = NUMBER.sub(lambda found: HIDDEN if _holds(held, float(found[0])) else found[0], message)
    if len(message) > LONGEST:
        message = message[:LONGEST] + " ..."
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _holds(held: FloatArray, number: float) -> bool:
    """Whether `number` is one of `held`, or one of them as printed with four or more significant digits."""
    return bool(np.any(np.abs(held - number) <= 5e-4 * np.abs(held))) if held.size else False
