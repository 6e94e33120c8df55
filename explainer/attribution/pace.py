"""Walks through the rows of a request: keeps its deadline, and asks between rows whether it is still wanted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explainer.attribution.ports import Ask, Attributions, Prepared
from explainer.attribution.watch import Watch
from explainer.records import FloatArray, Notice

PORTION = 0.02  # seconds of work between two questions whether it is still wanted, as far as rows can be parted


def in_time(
    prepared: Prepared, rows: FloatArray, seeds: Sequence[int], ask: Ask, exact: bool, watch: Watch
) -> Attributions:
    """Explain the rows in portions, or, where sampling has a deadline, one by one, each with its share of the time.

    An answer that came after its deadline says so: exact methods do not stop half-way. Raises Cancelled.
    """
    if ask.deadline is None:
        return _in_portions(prepared, rows, seeds, ask, watch)
    if exact or len(rows) <= 1:
        return _told_when_late(_in_portions(prepared, rows, seeds, ask, watch), ask.deadline)
    parts = []
    for i in range(len(rows)):
        watch.look()
        present = time.monotonic()
        share = present + (ask.deadline - present) / (len(rows) - i)
        given = prepared.explain(rows[i : i + 1], seeds[i : i + 1], replace(ask, deadline=share))
        parts.append(_told_when_late(given, share))
    return _joined(parts)


def _in_portions(prepared: Prepared, rows: FloatArray, seeds: Sequence[int], ask: Ask, watch: Watch) -> Attributions:
    """All rows together where nobody asks, else as many at a time as take PORTION; a row's bits are the same."""
    parts: list[Attributions] = []
    done, size = 0, 1 if watch.watching else len(rows)
    while done < len(rows):
        watch.look()
        began = time.monotonic()
        parts.append(prepared.explain(rows[done : done + size], seeds[done : done + size], ask))
        done += size
        took = max(time.monotonic() - began, 1e-6)
        size = max(min(int(size * PORTION / took), 8 * size), 1)
    return parts[0] if len(parts) == 1 else _joined(parts)


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
        notices=tuple(n for p in parts for n in (p.notices or ((),) * len(p.values))),
        lime=tuple(report for p in parts for report in p.lime),
        stopped=tuple(rule for p in parts for rule in p.stopped),
    )
