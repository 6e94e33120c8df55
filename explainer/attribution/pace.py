"""Keeps the deadline of a request of several rows: each row gets an equal share of the time that is left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explainer.attribution.ports import Ask, Attributions, Prepared
from explainer.records import FloatArray, Notice


def in_time(prepared: Prepared, rows: FloatArray, seeds: Sequence[int], ask: Ask, exact: bool) -> Attributions:
    """Explain all rows together, or, where sampling has a deadline, one by one, each with its share of the time.

    An answer that came after its deadline says so: exact methods do not stop half-way.
    """
    if ask.deadline is None:
        return prepared.explain(rows, seeds, ask)
    if exact or len(rows) <= 1:
        return _told_when_late(prepared.explain(rows, seeds, ask), ask.deadline)
    parts = []
    for i in range(len(rows)):
        present = time.monotonic()
        share = present + (ask.deadline - present) / (len(rows) - i)
        given = prepared.explain(rows[i : i + 1], seeds[i : i + 1], replace(ask, deadline=share))
        parts.append(_told_when_late(given, share))
    return _joined(parts)


def _told_when_late(given: Attributions, deadline: float) -> Attributions:
    late = time.monotonic() - deadline
    if late <= 0:
        return given
    told = given.notices or ((),) * len(given.values)
    notice = Notice("deadline-reached", "The least work that gives an answer took longer than the deadline.")
    return replace(given, notices=tuple(n if _tells(n) else (*n, notice) for n in told))


def _tells(notices: tuple[Notice, ...]) -> bool:
    return any(notice.code == "deadline-reached" for notice in notices)


def _joined(parts: Sequence[Attributions]) -> Attributions:
    return Attributions(
        values=np.concatenate([p.values for p in parts]),
        standard_errors=np.concatenate([p.standard_errors for p in parts]),
        expected=np.concatenate([p.expected for p in parts]),
        predictions=np.concatenate([p.predictions for p in parts]),
        evaluations=np.concatenate([p.evaluations for p in parts]),
        exact=all(p.exact for p in parts),
        additive=all(p.additive for p in parts),
        notices=tuple(p.notices[0] if p.notices else () for p in parts),
        lime=tuple(p.lime[0] for p in parts) if all(p.lime for p in parts) else (),
    )
