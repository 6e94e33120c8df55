"""What sampling works towards: a tolerance, and leading features whose order is beyond doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explainer.attribution.ports import Ask, Attributions
from explainer.attribution.uncertainty import two_sided
from explainer.records import FloatArray, Notice, Stopped

Errors = Callable[[float], FloatArray]  # standard errors (features, outputs), honest at the confidence given


class Goal:
    """Whether what was asked for is reached, looked at again and again while sampling goes on.

    With several looks the order of the features is judged more strictly each time: look number l may be wrong with a
    share 1 / (l (l + 1)) of 1 - confidence, divided by the number of features, so that by Bonferroni's inequality all
    looks and all features together are wrong with at most 1 - confidence, however their errors depend on one another.
    """

    def __init__(self, ask: Ask) -> None:
        self.strain = np.inf if ask.tolerance or ask.separate else 0.0
        self.reached: Stopped | None = None
        self._ask = ask
        self._looks = 0
        self._width = 0.0
        self._apart = ask.separate is None

    @property
    def asked(self) -> bool:
        return self._ask.tolerance is not None or self._ask.separate is not None

    def look(self, values: FloatArray, errors: Errors) -> None:
        """Judge `values` (features, outputs). `strain` says how many times smaller errors would have to be."""
        self._looks += 1
        widths = half_widths(errors, self._ask.confidence)
        self._width = float(np.nan_to_num(widths, nan=np.inf, posinf=np.inf).max(initial=0.0))
        tolerance, separate = self._ask.tolerance, self._ask.separate
        close = 0.0 if tolerance is None else self._width / tolerance
        ranked = 0.0 if separate is None else strain(values, half_widths(errors, self._sure(len(values))), separate)
        self.strain, self._apart = max(close, ranked), ranked < 1
        if self.asked and self.strain <= 1 and self._apart:
            self.reached = "tolerance" if separate is None or close > ranked else "ranks"

    def notices(self) -> tuple[Notice, ...]:
        """What was asked for and is not reached, after the last look."""
        found = []
        if self._ask.tolerance is not None and self._width > self._ask.tolerance:
            reached = f"Reached ±{self._width:.3g}; ±{self._ask.tolerance:.3g} was asked for."
            found.append(Notice("tolerance-not-met", reached))
        if not self._apart:
            found.append(undecided(self._ask))
        return tuple(found)

    def _sure(self, features: int) -> float:
        return 1 - (1 - self._ask.confidence) / (self._looks * (self._looks + 1) * features)


def undecided(ask: Ask) -> Notice:
    """That the order of the leading features is not beyond doubt."""
    detail = f"The stated errors leave open which {ask.separate} features lead, or in which order."
    return Notice("ranks-not-separated", detail)


def with_doubts(given: Attributions, ask: Ask) -> Attributions:
    """The same answer, with a notice for each row whose leading features' order its errors leave open.

    Methods that work towards an order have said so themselves; those that do not are judged here, by one look.
    """
    if ask.separate is None or given.exact:
        return given
    told = given.notices or ((),) * len(given.values)
    rules = given.stopped or (None,) * len(given.values)
    sure = 1 - (1 - ask.confidence) / given.values.shape[1]
    widths = two_sided(sure) * given.standard_errors
    found = []
    for values, width, notices, rule in zip(given.values, widths, told, rules, strict=True):
        silent = rule == "ranks" or any(n.code == "ranks-not-separated" for n in notices)
        apart = silent or strain(values, width, ask.separate) < 1
        found.append(notices if apart else (*notices, undecided(ask)))
    return replace(given, notices=tuple(found))


def half_widths(errors: Errors, confidence: float) -> FloatArray:
    return np.asarray(two_sided(confidence) * errors(confidence))


def strain(values: FloatArray, widths: FloatArray, count: int) -> float:
    """How much smaller the half-widths must become before the intervals of the `count` largest |values| lie apart.

    Both have shape (features, outputs). Below 1: each of the leading features is larger in size than every one ranked
    after it, whatever lies within the intervals; the worst output counts. NaN widths leave everything open.
    """
    order = np.argsort(-np.abs(values), axis=0, kind="stable")
    size = np.take_along_axis(np.abs(values), order, axis=0)
    width = np.take_along_axis(widths, order, axis=0)
    worst = 0.0
    for leading in range(min(count, len(values) - 1)):
        gaps = size[leading] - size[leading + 1 :]
        needed = width[leading] + width[leading + 1 :]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(needed == 0, 0.0, needed / gaps)
        worst = max(worst, float(np.nan_to_num(ratios, nan=np.inf, posinf=np.inf).max(initial=0.0)))
    return worst
