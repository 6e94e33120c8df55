"""From margins to what is asked for: probabilities and log-odds of a logistic or softmax link, compiled."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np
from numba import int64, void

from explainer.attribution.model import IntArray
from explainer.attribution.trees.decide import FLOATS, INTS, MATRIX
from explainer.attribution.trees.exponential import odds, share, squash
from explainer.attribution.trees.jit import compiled
from explainer.records import FloatArray

LOGISTIC_PROBABILITY, SOFTMAX_PROBABILITY, SOFTMAX_LOG_ODDS = 0, 1, 2


def linked(margins: FloatArray, link: int, classes: IntArray) -> FloatArray:
    """(rows, len(classes)): each row's margins after the link, for the classes asked for."""
    out = np.empty((len(margins), len(classes)))
    _all(np.ascontiguousarray(margins), link, classes, out)
    return out


@compiled(void(FLOATS, int64, INTS, FLOATS))
def answer(margin, link, classes, out):
    """One row: margin (margins,) to out (len(classes),)."""
    for j in range(classes.shape[0]):
        c = classes[j]
        if link == 0:
            out[j] = 1.0 / (1.0 + math.exp(-margin[0] if c == 1 else margin[0]))
            continue
        top = -np.inf
        for k in range(margin.shape[0]):
            if k != c:
                top = max(top, margin[k])
        others = 0.0
        for k in range(margin.shape[0]):
            if k != c:
                others += math.exp(margin[k] - top)
        odds = margin[c] - top - math.log(others)
        out[j] = odds if link == 2 else 1.0 / (1.0 + math.exp(-odds))


@compiled(void(MATRIX, int64, INTS, MATRIX))
def bend(margins, link, classes, out):
    """Margins (margins, n) to out (classes, n)."""
    for j in range(classes.shape[0]):
        if link == 0:
            squash(margins[0], 1.0 if classes[j] == 1 else -1.0, out[j])
        elif link == 1:
            share(margins, classes[j], out[j])
        else:
            odds(margins, classes[j], out[j])


@compiled(void(MATRIX, int64, INTS, MATRIX))
def _all(margins, link, classes, out):
    for r in range(margins.shape[0]):
        answer(margins[r], link, classes, out[r])
