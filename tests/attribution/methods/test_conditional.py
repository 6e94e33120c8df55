"""Conditional values share credit among features that go together, and are never taken by themselves."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from explainer.attribution.chooser import choose
from explainer.attribution.game import in_space
from explainer.attribution.methods import found
from explainer.attribution.methods.conditional import METHOD
from explainer.attribution.neighbours import conditional_values, squared_distances
from explainer.attribution.ports import Ask, Subject
from tests.attribution.fakes import bent, mixed_rows, regression, subject

OF = subject(regression(bent), mixed_rows(20, 4), (0, 0, 0, 3, 3, 0))
RAW = Ask("raw", (0,))


def brute(of: Subject, row: np.ndarray) -> np.ndarray:
    """The textbook sum over all coalitions of the conditional game, its ends known."""
    d = row.size
    game = in_space(of.model, "raw", (0,))
    known = ((np.arange(2**d)[:, None] >> np.arange(d)) & 1).astype(bool)
    v = conditional_values(game, row, of.background, squared_distances(row, of.background, of.kinds), known)[0][:, 0]
    v[0], v[-1] = of.background.weights @ game(of.background.rows)[:, 0], game(row[None])[0, 0]
    phi = np.zeros(d)
    for i in range(d):
        for s in (s for s in range(2**d) if not (s >> i) & 1):
            size = s.bit_count()
            phi[i] += factorial(size) * factorial(d - size - 1) / factorial(d) * (v[s | 1 << i] - v[s])
    return phi


def test_values_are_those_of_the_definition() -> None:
    """Against a plain sum over coalitions, with categories and missing values."""
    rows = mixed_rows(3, 9)
    given = METHOD.prepare(OF, RAW).explain(rows, [0] * 3, RAW)
    assert given.exact
    for i, row in enumerate(rows):
        assert given.values[i, :, 0] == pytest.approx(brute(OF, row), abs=1e-10)
    assert given.expected + given.values.sum(axis=1) == pytest.approx(given.predictions)


def test_sampling_covers_the_truth() -> None:
    """95 % intervals of sampled answers cover the enumerated values in 90 % of cases or more."""
    rows = mixed_rows(25, 11)
    small = Ask("raw", (0,), max_evaluations=1_200)
    assert not METHOD.suits(OF, small, rows[0]).exact
    exact = METHOD.prepare(OF, RAW).explain(rows, [0] * 25, RAW)
    drawn = METHOD.prepare(OF, small).explain(rows, range(25), small)
    inside = np.abs(drawn.values - exact.values) <= 1.96 * drawn.standard_errors + 1e-12
    assert inside.mean() > 0.9
    assert drawn.standard_errors.max() > 0.01
    assert drawn.expected + drawn.values.sum(axis=1) == pytest.approx(drawn.predictions)
    assert (drawn.evaluations <= 1_200).all()


def test_a_twin_that_the_model_ignores_gets_a_share() -> None:
    """A feature that always equals another is credited although the model does not read it: another game indeed."""
    x = np.random.default_rng(0).normal(size=(60, 1))
    twins = subject(regression(lambda r: r[:, 0]), np.concatenate([x, x, np.flip(x)], axis=1))
    row = np.array([2.0, 2.0, 0.0])
    values = METHOD.prepare(twins, RAW).explain(row[None], [0], RAW).values[0, :, 0]
    assert values[1] > 0.3 * values[0]
    assert abs(values[2]) < 0.5 * values[1]


def test_a_single_baseline_is_the_interventional_game() -> None:
    """With one row there is nothing to condition on: the values are those of the other methods."""
    one = subject(regression(bent), np.nan_to_num(mixed_rows(1, 4)), (0, 0, 0, 3, 3, 0))
    rows = np.nan_to_num(mixed_rows(2, 9))
    exact = next(m for m in found() if m.name == "exact").prepare(one, RAW).explain(rows, [0, 0], RAW)
    assert METHOD.prepare(one, RAW).explain(rows, [0, 0], RAW).values == pytest.approx(exact.values, abs=1e-12)


def test_it_is_taken_by_name_alone() -> None:
    """`auto` and `shap` never answer with this game."""
    row = mixed_rows(1, 9)[0]
    assert choose(found(), OF, RAW, row, "conditional").method is METHOD
    for wanted in ("auto", "shap"):
        assert choose(found(), OF, RAW, row, wanted).method is not METHOD


@pytest.mark.parametrize("seconds", [-1.0, 0.0])
def test_a_deadline_ends_it(seconds: float) -> None:
    """With the time over, the fewest walks are answered, and the reader is told."""
    ask = Ask("raw", (0,), max_evaluations=1_200, deadline=seconds)
    given = METHOD.prepare(OF, ask).explain(mixed_rows(1, 9), [3], ask)
    assert [n.code for n in given.notices[0]] == ["deadline-reached"]
    assert given.evaluations[0] < 600
