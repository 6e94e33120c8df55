"""Backgrounds that were tampered with, and rows that are foreign, beside those that are as they should be."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.vetting.models import Split
from explainer.attribution.foreign import familiar
from explainer.attribution.model import IntArray
from explainer.attribution.vetting.perturbed import drawn_apart
from explainer.attribution.vetting.shifted import shift
from explainer.records import FloatArray

REFERENCE = 45  # golden rows and samples of a demo model


def backgrounds(at: Split) -> dict[str, bool]:
    """Whether the background is found to be shifted, for each way of making one."""
    reference = at.rows[_held(at)[:REFERENCE]]
    return {name: shift(made(at), reference, at.kinds).suspicious for name, made in BACKGROUNDS.items()}


def rows(at: Split) -> dict[str, float]:
    """The share of rows that is flagged, for each kind of rows, and what one of them costs in microseconds."""
    ordinary = at.rows[_held(at)][:100]
    ready = familiar(at.background, at.kinds, tuple(map(str, range(at.rows.shape[1]))))
    if ready is None:
        raise ValueError("the background is too small")
    random = np.random.default_rng(at.seed)
    tenfold = ordinary.copy()
    tenfold[:, _number(at)] *= 10
    kinds = {
        "ordinary, held back": ordinary,
        "one number ten times as large": tenfold,
        "every value drawn apart": drawn_apart(at.background, at.kinds, 100, random),
        "only values at the ends of their ranges": _ends(at, random),
    }
    found = {name: float(np.mean([bool(f) for f in ready.findings(given)])) for name, given in kinds.items()}
    began = time.process_time()
    for row in ordinary:
        ready.findings(row[None])
    return found | {"us": (time.process_time() - began) / len(ordinary) * 1e6}


def _held(at: Split) -> IntArray:
    return np.setdiff1d(np.arange(len(at.rows)), at.train)


def _number(at: Split) -> int:
    numbers = np.flatnonzero(at.kinds == 0)
    return int(numbers[at.seed % len(numbers)])


def _moved(by: float) -> Callable[[Split], FloatArray]:
    def made(at: Split) -> FloatArray:
        changed, place = at.background.copy(), _number(at)
        changed[:, place] += by * at.rows[:, place].std()
        return changed

    return made


def _fixed(at: Split) -> FloatArray:
    """The value of one explained row everywhere: that feature then never gets an attribution."""
    changed, place = at.background.copy(), _number(at)
    changed[:, place] = at.golden[0, place]
    return changed


def _picked(share: float) -> Callable[[Split], FloatArray]:
    """Real training rows, but only those that are high in one feature (Fukuchi, Hara and Maehara 2020)."""

    def made(at: Split) -> FloatArray:
        real = at.rows[at.train]
        order = np.argsort(-real[:, _number(at)], kind="stable")[: int(share * len(real))]
        return np.asarray(real[np.random.default_rng(at.seed).choice(order, len(at.background), replace=False)])

    return made


def _ends(at: Split, random: np.random.Generator) -> FloatArray:
    low, high = at.background.min(axis=0), at.background.max(axis=0)
    return np.asarray(np.where(random.random((100, len(low))) < 0.5, low, high))


BACKGROUNDS: dict[str, Callable[[Split], FloatArray]] = {
    "as it should be": lambda at: at.background,
    "one number moved by 0.5 standard deviations": _moved(0.5),
    "one number moved by 1 standard deviation": _moved(1.0),
    "one number moved by 2 standard deviations": _moved(2.0),
    "one number fixed at an explained row's": _fixed,
    "real rows, of the upper half in one number": _picked(0.5),
}
