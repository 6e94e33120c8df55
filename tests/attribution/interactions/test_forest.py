"""A tree ensemble's interactions are exact over raw features in every output space that the trees explain."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.attribution.game import in_space
from explainer.attribution.interactions import forest
from explainer.attribution.model import Link
from explainer.attribution.ports import Ask
from explainer.records import OutputSpace
from tests.attribution.fakes import bent, mixed_rows, regression
from tests.attribution.fakes import subject as plain_subject
from tests.attribution.interactions import truth
from tests.attribution.methods.test_tree import CASES, rows, subject


@pytest.mark.parametrize(("link", "margins", "outputs", "space", "asked", "tables"), CASES)
def test_every_space_agrees_with_enumeration(
    link: Link, margins: int, outputs: int, space: OutputSpace, asked: tuple[int, ...], tables: bool
) -> None:
    """One-hot columns are one player; indices, values and the expected value are those of the model itself."""
    of, ask = subject(link, margins, outputs), Ask(space, asked)
    ready = forest.prepared(of, ask)
    assert isinstance(ready, forest.Margins if tables else forest.Linked)
    game = in_space(of.model, space, asked)
    for row in rows(9, 3):
        found = ready.matrix(row)
        values = found.values.copy()
        values[np.arange(4), np.arange(4)] = 0.0
        assert np.allclose(2 * values, truth.interventional(game, row, of.background), rtol=0, atol=1e-10)
        total = found.expected + found.values.sum(axis=(0, 1))
        assert np.allclose(total, game(row[None])[0], rtol=0, atol=1e-10)
        assert np.allclose(found.expected, of.background.weights @ game(of.background.rows), rtol=0, atol=1e-12)


def test_coalitions_are_counted_beforehand() -> None:
    """What a row will take is known without computing it, and too much is told from a limit."""
    of, row = subject("logistic", 1, 2), rows(9, 1)[0]
    ready = forest.prepared(of, Ask("probability", (1,)))
    assert isinstance(ready, forest.Linked)
    due = ready.due(row, 10_000)
    assert ready.matrix(row).evaluations == due
    assert ready.due(row, due - 1) > due - 1


def test_models_without_trees_say_so() -> None:
    """A black box has no forest to walk; the sentence is fit for a refusal."""
    found = forest.prepared(plain_subject(regression(bent), mixed_rows(5, 1)), Ask("raw", (0,)))
    assert found == "The model is not known to be a tree ensemble."
