"""The form of an answer: a matrix whose rows sum to the attributions, and what is known of its error."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explainer.records import FloatArray, Notice


@dataclass(frozen=True, slots=True)
class Matrix:
    """One row's interactions for d features and k outputs; errors are 0 where exact.

    Off the diagonal `values` holds half of each pair's Shapley interaction index, on it the main effect: what is left
    of the attribution. This is the matrix of Lundberg et al. 2020 (Nature Machine Intelligence 2, 56), equation 4.
    """

    values: FloatArray  # (d, d, k)
    standard_errors: FloatArray  # (d, d, k)
    total_errors: FloatArray  # (d, k), of the attributions: the sums of the matrix's rows
    expected: FloatArray  # (k,)
    evaluations: int
    notices: tuple[Notice, ...] = field(default=())


def exact(found: FloatArray, phi: FloatArray, expected: FloatArray, evaluations: int) -> Matrix:
    """From interaction indices (d, d, k), symmetric with an empty diagonal, and Shapley values (d, k)."""
    values = halved(found, phi)
    return Matrix(values, np.zeros_like(values), np.zeros_like(phi), expected, evaluations)


def halved(found: FloatArray, phi: FloatArray) -> FloatArray:
    """The matrix whose off-diagonal entries are half the indices and whose rows sum to `phi`."""
    values = found / 2
    own = np.arange(len(phi))
    values[own, own] = phi - values.sum(axis=1)
    return np.asarray(values + 0.0)
