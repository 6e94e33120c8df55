"""Answers about several rows taken apart into one for each, and put together again, without reading what they say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from explainer.workers.frames import Frame, FrameError


def split(answer: Frame, rows: int) -> list[Frame]:
    """Return one frame for each of `rows` rows; FrameError when the answer is not about so many."""
    if rows == 1:
        return [answer]
    counts = _counts(answer, rows)
    ends = list(accumulate(counts))
    if any(array.ndim == 0 or len(array) != ends[-1] for array in answer.arrays.values()):
        raise FrameError(f"An answer about {rows} rows does not have a line for each of them.")
    return [_cut(answer, end - count, end) for count, end in zip(counts, ends, strict=True)]


def join(answers: Sequence[Frame]) -> Frame:
    """Return one frame about all rows, in their order; FrameError for answers that do not belong together."""
    first = answers[0]
    if len(answers) == 1:
        return first
    if any(a.kind != first.kind or a.arrays.keys() != first.arrays.keys() for a in answers):
        raise FrameError("The answers about the rows of one question are of different kinds.")
    try:
        arrays = {name: np.concatenate([a.arrays[name] for a in answers]) for name in first.arrays}
    except ValueError:
        raise FrameError("The answers about the rows of one question are of different widths.") from None
    if first.body is None:
        return Frame(first.kind, None, arrays)
    counts = [count for a in answers for count in a.body["counts"]]
    return Frame(first.kind, {"counts": counts, "rest": [said for a in answers for said in a.body["rest"]]}, arrays)


def _counts(answer: Frame, rows: int) -> list[int]:
    if answer.body is None:
        return [1] * rows
    counts = answer.body.get("counts") if isinstance(answer.body, dict) else None
    if not isinstance(counts, list) or len(counts) != rows or not all(type(n) is int and n >= 0 for n in counts):
        raise FrameError(f"An answer about {rows} rows does not say how many answers each has.")
    rest = answer.body.get("rest")
    if not isinstance(rest, list) or len(rest) != sum(counts):
        raise FrameError(f"An answer about {rows} rows does not have as many answers as it says.")
    return counts


def _cut(answer: Frame, start: int, end: int) -> Frame:
    arrays = {name: array[start:end] for name, array in answer.arrays.items()}
    if answer.body is None:
        return Frame(answer.kind, None, arrays)
    return Frame(answer.kind, {"counts": [end - start], "rest": answer.body["rest"][start:end]}, arrays)
