"""The matrix holds half of each index off its diagonal, and sums to the attributions."""

from __future__ import annotations

import numpy as np

from explainer.attribution.interactions.matrix import exact, halved


def test_rows_sum_to_the_attributions() -> None:
    """The main effect on the diagonal is what the pairs leave; nothing is a negative zero."""
    found = np.array([[0.0, 2.0], [2.0, 0.0]])[:, :, None]
    values = halved(found, np.array([[1.0], [5.0]]))
    assert values[:, :, 0].tolist() == [[0.0, 1.0], [1.0, 4.0]]
    assert not np.signbit(halved(-0.0 * found, -0.0 * np.ones((2, 1)))).any()


def test_an_exact_matrix_has_no_error() -> None:
    """Errors of an exact answer are zero, of its entries and of its sums."""
    made = exact(np.zeros((2, 2, 1)), np.ones((2, 1)), np.zeros(1), 7)
    assert made.evaluations == 7
    assert not made.standard_errors.any()
    assert not made.total_errors.any()
