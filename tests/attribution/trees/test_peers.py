from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.attribution.trees.attribute import attribute, prepare
from explainer.formats.structure import trees_lightgbm, trees_xgboost

shap = pytest.importorskip("shap")
X = np.random.default_rng(0).normal(size=(600, 12)).astype(np.float32).astype(float)
Y = X[:, 0] * X[:, 1] + X[:, 2:].sum(axis=1)
THREE = np.digitize(Y, [-1.0, 1.0])


def boosted(library: str, y: np.ndarray, **settings: Any) -> tuple[Any, Any]:
    peer = pytest.importorskip(library)
    if library == "xgboost":
        model = peer.train({"max_depth": 6, "nthread": 1, **settings}, peer.DMatrix(X, label=y), 20)
        return model, trees_xgboost.read(model)
    model = peer.train({"verbose": -1, "num_threads": 1, **settings}, peer.Dataset(X, label=y), 20)
    return model, trees_lightgbm.read(model)


@pytest.mark.parametrize(("library", "classes"), [("xgboost", 1), ("xgboost", 3), ("lightgbm", 1)])
def test_values_agree_with_shap_on_the_whole_background(library: str, classes: int) -> None:
    """150 background rows, given to shap in full (it keeps 100 of an array): within 1e-6 of the largest value."""
    settings = {"objective": "multi:softprob", "num_class": 3} if classes == 3 else {}
    model, found = boosted(library, THREE if classes == 3 else Y, **settings)
    against = X[:150]
    peer = shap.TreeExplainer(model, shap.maskers.Independent(against, max_samples=150))
    truth = np.asarray(peer.shap_values(X[150:170])).reshape(20, 12, classes)
    prepared = prepare(found[0], np.arange(12), 12, against, np.full(150, 1 / 150))
    assert np.abs(attribute(prepared, X[150:170]) - truth).max() <= 1e-6 * np.abs(truth).max()
