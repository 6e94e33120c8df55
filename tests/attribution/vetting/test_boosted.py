"""The surrogate learns what boosted trees learn, and the same again."""

from __future__ import annotations

import numpy as np

from explainer.attribution.vetting.boosted import fit


def test_an_interaction_is_learnt() -> None:
    """Of a product of two numbers beside a category and missing values, nine tenths of the variance are explained."""
    random = np.random.default_rng(0)
    rows = np.column_stack([random.normal(size=(3000, 2)), random.integers(0, 4, 3000)])
    rows[random.random(3000) < 0.1, 1] = np.nan
    truth = np.where(np.isnan(rows[:, 1]), 2.0, rows[:, 0] * rows[:, 1]) + (rows[:, 2] == 2)
    found = fit(rows[:2000], truth[:2000]).predict(rows[2000:])
    assert np.mean((found - truth[2000:]) ** 2) < 0.1 * truth[2000:].var()


def test_a_constant_is_learnt_exactly() -> None:
    """Where the model answers one number, so does the surrogate, on rows far away too."""
    rows = np.random.default_rng(0).normal(size=(200, 3))
    assert np.array_equal(fit(rows, np.full(200, 0.25)).predict(100 * rows), np.full(200, 0.25))


def test_fitting_again_gives_the_same_bits() -> None:
    """There is nothing random in it."""
    rows = np.random.default_rng(1).normal(size=(300, 4))
    assert np.array_equal(fit(rows, rows[:, 0]).predict(rows), fit(rows.copy(), rows[:, 0].copy()).predict(rows))
