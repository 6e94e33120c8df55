"""What `walks` promises: gains whose mean over all orders is the Shapley value, and that always add up."""

from itertools import permutations

import numpy as np
import pytest

from explainer.attribution.enumeration import enumerated
from explainer.attribution.game import in_space
from explainer.attribution.maskers import background, differs
from explainer.attribution.walks import steps, walk_pairs
from tests.attribution.fakes import bent, classifier, mixed_rows

GAME = in_space(classifier(bent), "probability", (0, 1))
ROW = np.array([0.3, -1.2, 0.8, 1.0, 2.0, np.nan])


def gains_of(keys: np.ndarray, rows: np.ndarray) -> np.ndarray:
    walked = np.where(differs(ROW, rows), keys, np.inf)
    return walk_pairs(GAME, ROW, (rows, GAME(rows)), GAME(ROW[None])[0], walked)


def test_the_mean_over_all_orders_is_the_shapley_value():
    """Walks along every one of 6! orders average to the enumerated values of each baseline's game."""
    rows = mixed_rows(2, 8)
    keys = np.array([np.tile(order, (2, 1)) for order in permutations(np.arange(6.0))])
    got = gains_of(keys, rows).mean(axis=0)
    for z in range(2):
        assert got[z] == pytest.approx(enumerated(GAME, ROW, background(rows[z : z + 1], "")), rel=1e-10, abs=1e-14)


def test_every_pair_of_walks_adds_up():
    """Whatever the orders, a pair's gains sum to f(row) - f(baseline), and features that do not differ gain nothing."""
    rows = np.concatenate([mixed_rows(5, 9), ROW[None], np.where(np.arange(6) == 2, 0.0, ROW)[None]])
    got = gains_of(np.random.default_rng(0).random((3, 7, 6)), rows)
    assert got.sum(axis=2) == pytest.approx(np.tile(GAME(ROW[None]) - GAME(rows), (3, 1, 1)), abs=1e-14)
    assert not got[:, ~differs(ROW, rows)].any()


def test_passes_taken_together_are_the_passes_taken_alone():
    """How many passes share a call changes no gain by more than rounding."""
    rows, keys = mixed_rows(4, 10), np.random.default_rng(1).random((3, 4, 6))
    alone = np.concatenate([gains_of(keys[i : i + 1], rows) for i in range(3)])
    assert gains_of(keys, rows) == pytest.approx(alone, abs=1e-15)


def test_steps_count_the_model_rows_of_a_pass():
    """Two walks over m features have 2 (m - 1) inner points; none where one feature differs or none does."""
    asked = []

    def counting(x):
        asked.append(len(x))
        return GAME(x)

    rows = np.concatenate([mixed_rows(5, 9), ROW[None], np.where(np.arange(6) == 2, 0.0, ROW)[None]])
    differing = differs(ROW, rows)
    keys = np.where(differing, np.random.default_rng(0).random((1, 7, 6)), np.inf)
    walk_pairs(counting, ROW, (rows, GAME(rows)), GAME(ROW[None])[0], keys)
    assert sum(asked) == steps(differing)
