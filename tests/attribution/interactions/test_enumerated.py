"""Interactions by enumeration are those of the definition, for any model and any background."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.enumeration import cost
from explainer.attribution.interactions.enumerated import enumerated
from explainer.attribution.maskers import background
from tests.attribution.fakes import bent, brute_force, mixed_rows
from tests.attribution.interactions import truth


def game(x: np.ndarray) -> np.ndarray:
    return np.stack([bent(x), np.nan_to_num(x[:, 0] * x[:, 2]) + x[:, 3]], axis=1)


@pytest.mark.parametrize("count", [1, 2, 12])
def test_values_are_those_of_the_definition(count: int) -> None:
    """Categories, missing values, one baseline: half the index off the diagonal, rows sum to Shapley values."""
    against = background(np.concatenate([mixed_rows(count, 3), mixed_rows(1, 3)]), "x")
    for row in mixed_rows(3, 8):
        found = enumerated(game, row, against)
        pairs = truth.interventional(game, row, against)
        own = np.arange(row.size)
        off = found.values.copy()
        off[own, own] = 0.0
        assert np.allclose(off, pairs / 2, rtol=0, atol=1e-10)
        assert np.allclose(found.values.sum(axis=1), brute_force(game, row, against.rows, against.weights), atol=1e-10)
        assert np.allclose(found.expected, against.weights @ game(against.rows), rtol=0, atol=1e-12)
        assert found.evaluations == cost(row, against)
        assert not found.standard_errors.any()


def test_a_row_against_itself_has_no_interactions() -> None:
    """Where nothing differs nothing is attributed."""
    row = mixed_rows(1, 1)[0]
    assert not enumerated(game, row, background(row[None], "x")).values.any()
