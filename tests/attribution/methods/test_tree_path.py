from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from explainer.attribution.methods.tree_path import METHOD
from explainer.attribution.ports import Ask
from explainer.formats.structure.trees_sklearn import read
from tests.attribution.methods.test_tree import COLUMNS, one_hot, rows, subject
from tests.attribution.trees.forests import path_dependent


def test_values_are_those_of_the_cover_weighted_game_over_raw_features() -> None:
    """One-hot columns are one player; the values add up to the prediction."""
    of, ask, x = subject("logistic", 1, 2), Ask("log_odds", (1, 0)), rows(9, 3)
    assert METHOD.suits(of, ask, x[0]).fits
    given = METHOD.prepare(of, ask).explain(x, [0] * 3, ask)
    trees = of.model.trees
    assert trees is not None
    for i, row in enumerate(one_hot(x)):
        truth = path_dependent(trees, row, COLUMNS.owner)[:, 0]
        assert np.allclose(given.values[i, :, 0], truth, rtol=0, atol=1e-11)
        assert np.allclose(given.values[i, :, 1], -truth, rtol=0, atol=1e-11)
    assert np.allclose(given.expected + given.values.sum(axis=1), given.predictions, rtol=0, atol=1e-11)


def test_values_agree_with_shap() -> None:
    """A forest against the path-dependent values of shap."""
    shap = pytest.importorskip("shap")
    x = np.random.default_rng(0).normal(size=(400, 5)).astype(np.float32).astype(float)
    fitted = RandomForestRegressor(5, random_state=0).fit(x, x[:, 0] * x[:, 1] + x[:, 2])
    found = read(fitted)
    assert found is not None
    of, ask = subject(), Ask("raw", (0,))
    names = tuple("abcde")
    of = replace(of, model=replace(of.model, trees=found[0], columns=None), names=names)
    given = METHOD.prepare(of, ask).explain(x[:20], [0] * 20, ask)
    explainer = shap.TreeExplainer(fitted, feature_perturbation="tree_path_dependent")
    assert np.allclose(given.values[:, :, 0], explainer.shap_values(x[:20]), rtol=0, atol=1e-9)
    assert np.allclose(given.expected[:, 0], explainer.expected_value, rtol=0, atol=1e-9)


def test_what_has_no_path_dependent_values_is_refused_in_words() -> None:
    """No trees, no covers, or an output that bends the margin."""
    of, x = subject("logistic", 1, 2), rows(1, 1)[0]
    trees = of.model.trees
    assert trees is not None
    assert "not for output probability" in METHOD.suits(of, Ask("probability", (1,)), x).why
    bare = replace(of, model=replace(of.model, trees=replace(trees, cover=np.zeros_like(trees.cover))))
    assert "how many training rows" in METHOD.suits(bare, Ask("raw", (1,)), x).why
    plain = replace(of, model=replace(of.model, trees=None))
    assert "not known to be" in METHOD.suits(plain, Ask("raw", (1,)), x).why
    with pytest.raises(ValueError, match="no output raw"):
        METHOD.prepare(plain, Ask("raw", (1,)))
