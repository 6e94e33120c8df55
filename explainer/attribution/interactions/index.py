"""Shapley interaction indices of all pairs of a game that is given by the values of all its coalitions."""

from __future__ import annotations

from math import comb

import numpy as np

from explainer.attribution.enumeration import shapley
from explainer.attribution.model import IntArray
from explainer.records import FloatArray

CHUNK = 1 << 14  # coalitions multiplied at once


def indices(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Indices (m, m, outputs), symmetric with an empty diagonal, and Shapley values (m, outputs).

    `values` (2**m, outputs) holds coalition c at place c, whose bit j says whether player j is in. The index of i and j
    is the mean of v(S+i+j) - v(S+i) - v(S+j) + v(S) over the S without them, with weights |S|! (m-|S|-2)! / (m-1)!
    (Grabisch and Roubens 1999, International Journal of Game Theory 28, 547). Summed over all coalitions T, it is
    that of both(|T|) v(T) where both are in, of -one(|T|) v(T) where one is, and of none(|T|) v(T) where neither is.
    """
    count, outputs = values.shape
    m = count.bit_length() - 1
    phi = shapley(values[None])[0]
    found = np.zeros((m, m, outputs))
    if m < 2:
        return found, phi
    worth = values - values[0]
    both, one, none = _weights(m)
    constant = np.zeros(outputs)
    alone = np.zeros((m, outputs))
    for first in range(0, count, CHUNK):
        number = np.arange(first, min(first + CHUNK, count))
        size = np.bitwise_count(number)
        held = ((number[:, None] >> np.arange(m)) & 1).astype(np.float64)
        v = worth[number]
        constant += none[size] @ v
        alone += held.T @ ((one + none)[size][:, None] * v)
        for k in range(outputs):
            found[:, :, k] += (held * ((both + 2 * one + none)[size] * v[:, k])[:, None]).T @ held
    found += constant - alone[:, None] - alone[None]
    found[np.arange(m), np.arange(m)] = 0.0
    return (found + found.transpose(1, 0, 2)) / 2, phi


def spread(found: FloatArray, phi: FloatArray, players: IntArray, features: int) -> tuple[FloatArray, FloatArray]:
    """The same among all features, of which `players` (m,) take part; the others interact with nobody."""
    wide, tall = np.zeros((features, features, phi.shape[1])), np.zeros((features, phi.shape[1]))
    wide[np.ix_(players, players)] = found
    tall[players] = phi
    return wide, tall


def _weights(m: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """both, one and none (m + 1,): weights of a coalition's value by its size; 1 / ((m-1) C(m-2, s)) for |S| = s."""
    w = np.array([1.0 / ((m - 1) * comb(m - 2, s)) for s in range(m - 1)])
    both, one, none = np.zeros(m + 1), np.zeros(m + 1), np.zeros(m + 1)
    both[2:], one[1:m], none[: m - 1] = w, w, w
    return both, one, none
