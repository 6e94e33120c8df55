from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.attribution.trees.evaluate import evaluate
from explainer.formats.structure.trees_lightgbm import read, why_not
from tests.formats.structure.tables import at_thresholds, probing, target, training

lightgbm = pytest.importorskip("lightgbm")

X = training()
Y = target(X)
TWO = (np.median(Y) < Y).astype(int)
THREE = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
QUIET = {"verbose": -1, "num_threads": 1, "min_data_per_group": 5, "cat_smooth": 1.0, "min_data_in_leaf": 5}


def trained(y: np.ndarray, *, missing: bool = True, categories: tuple[int, ...] = (4, 5), **settings: Any) -> Any:
    data = lightgbm.Dataset(X if missing else np.nan_to_num(X), label=y, categorical_feature=list(categories))
    return lightgbm.train({**QUIET, **settings}, data, 8)


def agrees(booster: Any, link: str, raw: bool = True) -> None:
    found = read(booster)
    assert found is not None
    trees, told = found
    assert told == link
    inner = np.flatnonzero((trees.left >= 0) & (trees.kind != 2))[:500]
    rows = probing(X)
    rows = np.vstack([rows, at_thresholds(rows, trees.threshold[inner], trees.column[inner])])
    truth = booster.predict(rows, raw_score=raw, num_threads=1).reshape(len(rows), -1)
    assert np.abs(evaluate(trees, rows) - truth).max() < 1e-12
    assert why_not(booster) == ""


@pytest.mark.parametrize(
    ("y", "link", "settings"),
    [
        (TWO, "logistic", {"objective": "binary"}),
        (Y, "identity", {"objective": "regression"}),
        (Y, "identity", {"objective": "regression_l1"}),
        (Y, "identity", {"objective": "regression", "boosting": "dart"}),
        (THREE, "softmax", {"objective": "multiclass", "num_class": 3}),
    ],
)
@pytest.mark.parametrize("missing", [True, False])
def test_trees_add_up_to_the_raw_score(y: np.ndarray, link: str, settings: dict[str, Any], missing: bool) -> None:
    """Category sets, unseen categories, missing values where training had some and where it had none, thresholds."""
    agrees(trained(y, missing=missing, **settings), link)


@pytest.mark.parametrize("settings", [{"zero_as_missing": True}, {"use_missing": False}])
@pytest.mark.parametrize("missing", [True, False])
def test_each_meaning_of_missing_is_followed(settings: dict[str, Any], missing: bool) -> None:
    """Zeros that count as missing, and missing values that count as zero."""
    agrees(trained(Y, missing=missing, categories=(5,), objective="regression", **settings), "identity")


def test_a_random_forest_averages_its_trees() -> None:
    """The trees of boosting=rf give the prediction, which is their mean."""
    booster = trained(Y, objective="regression", boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    agrees(booster, "identity", raw=False)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"objective": "poisson"}, "unsupported link"),
        ({"objective": "binary", "sigmoid": 2.0}, "sigmoid parameter"),
        ({"objective": "multiclassova", "num_class": 2}, "unsupported link"),
        ({"objective": "regression", "reg_sqrt": True}, "unsupported link"),
        ({"objective": "regression", "linear_tree": True}, "linear leaves"),
    ],
)
def test_what_cannot_be_converted_says_why(settings: dict[str, Any], reason: str) -> None:
    """`read` answers None and `why_not` gives the sentence."""
    booster = trained(TWO, missing=False, categories=(), **settings)
    assert read(booster) is None
    assert reason in why_not(booster)


def test_other_objects_are_not_lightgbm() -> None:
    """Anything else is None, without importing or guessing."""
    assert read(object()) is None
    assert why_not(object()) == "It is not a LightGBM model."
