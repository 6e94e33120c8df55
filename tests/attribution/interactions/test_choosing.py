"""The best way that fits a row is taken, by itself or by name, and says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.interactions.choosing import NAMES, Chooser
from explainer.attribution.ports import Ask, Subject
from explainer.errors import InvalidOption
from explainer.records import OutputSpace
from tests.attribution.fakes import bent, linear_model, mixed_rows, regression, subject, tree_model
from tests.attribution.interactions import truth

LINEAR = subject(linear_model(np.arange(8.0)[:, None], np.ones(1), task="regression", link="identity"), np.ones((3, 4)))
TREES = subject(tree_model(), mixed_rows(20, 3, d=3))
FEW = subject(regression(bent), mixed_rows(20, 4))
MANY = subject(
    regression(lambda x: x[:, 0] * x[:, 1] + x[:, 2:].sum(axis=1)), np.zeros((40, 20)) + np.arange(40)[:, None]
)


def row_of(of: Subject) -> np.ndarray:
    return np.nan_to_num(mixed_rows(1, 9, d=max(len(of.names), 4)))[0, : len(of.names)]


@pytest.mark.parametrize(
    ("of", "space", "name", "exact"),
    [
        (LINEAR, "raw", "linear", True),
        (TREES, "raw", "tree", True),
        (TREES, "log_odds", "tree", True),
        (TREES, "probability", "tree", True),
        (FEW, "raw", "exact", True),
        (MANY, "raw", "permutation", False),
    ],
)
def test_the_first_that_fits_is_taken(of: Subject, space: OutputSpace, name: str, exact: bool) -> None:
    """Closed form, trees, enumeration, sampling: in this order, each with a reason; only sampling has a seed."""
    way = Chooser(of).way(row_of(of), Ask(space, (of.model.outputs - 1,)), "auto", None)
    assert (way.name, way.exact) == (name, exact)
    assert way.reason
    assert (way.seed is None) is exact


def test_a_sum_has_no_interactions() -> None:
    """The linear way gives main effects alone, which are the whole attributions."""
    row = row_of(LINEAR)
    values = Chooser(LINEAR).way(row, Ask("raw", (0,)), "linear", None).matrix().values[:, :, 0]
    assert np.array_equal(values, np.diag(np.diag(values)))
    assert values.any()


@pytest.mark.parametrize("name", ["tree", "exact", "permutation"])
def test_every_way_gives_the_same_numbers(name: str) -> None:
    """On a tree model all ways agree with the definition, sampling within what its errors say."""
    row, ask = mixed_rows(1, 9, d=3)[0], Ask("log_odds", (1,), named=True)
    found = Chooser(TREES).way(row, ask, name, 3).matrix()

    def game(x: np.ndarray) -> np.ndarray:
        return np.asarray(TREES.model.margin(x))  # type: ignore[misc]

    off = found.values - np.einsum("iik,ij->ijk", found.values, np.eye(3))
    allowed = 6 * found.standard_errors + 1e-9
    assert (np.abs(2 * off - truth.interventional(game, row, TREES.background)) <= 2 * allowed).all()


def test_seeds_are_derived_unless_one_is_given() -> None:
    """The same question has the same seed; another row or setting another one; a given seed is taken."""
    row, ask = row_of(MANY), Ask("raw", (0,))
    budget = replace(ask, max_evaluations=9_000)
    asked = [(row, ask, None), (row, ask, None), (row + 1, ask, None), (row, budget, None), (row, ask, 7)]
    seeds = [Chooser(MANY).way(r, a, "auto", seed).seed for r, a, seed in asked]
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 4
    assert seeds[4] == 7


@pytest.mark.parametrize(
    ("of", "wanted", "budget", "message"),
    [
        (FEW, "lime", None, "gives no interactions; choose one of auto, linear, tree, exact, permutation"),
        (FEW, "tree", None, "not known to be a tree ensemble"),
        (FEW, "linear", None, "not known to be linear"),
        (MANY, "exact", None, "more than the 1,048,576 that are allowed"),
        (FEW, "exact", 10, "more than the 10 that are allowed"),
    ],
)
def test_what_does_not_fit_is_refused(of: Subject, wanted: str, budget: int | None, message: str) -> None:
    """A way asked for by name is taken or refused with the reason, never replaced."""
    with pytest.raises(InvalidOption, match=message):
        Chooser(of).way(row_of(of), Ask("raw", (0,), max_evaluations=budget, named=True), wanted, None)


def test_too_many_coalitions_of_a_link_are_left_to_others() -> None:
    """Where the budget does not allow the trees' coalitions, the ladder goes on."""
    row = mixed_rows(1, 9, d=3)[0]
    way = Chooser(TREES).way(row, Ask("probability", (1,), max_evaluations=4), "auto", None)
    assert way.name == "permutation"
    assert set(NAMES) >= {way.name}
