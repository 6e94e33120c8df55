"""Node numbers that native code would follow out of bounds are found inside any estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from explainer.formats.fitted import make_serial, parts, unsound
from tests.formats import orders

ROWS = np.nan_to_num(orders.number_rows(80))
LABELS = orders.labels(ROWS)


def with_nodes(tree: Any, change: Any) -> None:
    """Set a tree's state back with changed nodes, as a hostile file would."""
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    change(nodes)
    state["nodes"] = nodes
    tree.__setstate__(state)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(max_depth=3),
        RandomForestClassifier(3),
        ExtraTreesClassifier(3),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        BaggingClassifier(n_estimators=2, max_features=0.5),
        SVC(),
        SVC(kernel="linear"),
        make_pipeline(StandardScaler(), RandomForestClassifier(2)),
        KNeighborsClassifier(algorithm="brute"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_what_scikit_learn_fitted_is_sound(estimator: Any) -> None:
    """No honest model is called unsound."""
    assert unsound(estimator.fit(ROWS, LABELS)) == []


@pytest.mark.parametrize("child", [0, -7, 10_000])
@pytest.mark.parametrize("side", ["left_child", "right_child"])
def test_a_child_that_goes_back_or_away_is_found(side: str, child: int) -> None:
    """A cycle, a negative number and one beyond the nodes are each found inside a pipeline's forest."""
    forest = RandomForestClassifier(2).fit(ROWS, LABELS)
    with_nodes(forest.estimators_[1].tree_, lambda nodes: nodes[side].__setitem__(0, child))
    (problem,) = unsound(make_pipeline(StandardScaler().fit(ROWS), forest))
    assert "child" in problem.detail


def test_a_feature_that_is_not_there_is_found() -> None:
    """A tree that tests feature 10 of 4 reads beyond the row."""
    tree = DecisionTreeClassifier(max_depth=2).fit(ROWS, LABELS)
    with_nodes(tree.tree_, lambda nodes: nodes["feature"].__setitem__(0, 10))
    assert "feature" in unsound(tree)[0].detail


def test_an_ensemble_of_wider_trees_is_found() -> None:
    """A forest or boosting that claims fewer features than its trees test is found."""
    wide = np.hstack([ROWS, ROWS])
    for ensemble in (RandomForestClassifier(2), GradientBoostingClassifier(n_estimators=2)):
        fitted = ensemble.fit(wide, LABELS)
        fitted.n_features_in_ = 4
        assert "features" in unsound(fitted)[0].detail


def test_boosting_with_another_number_of_trees_a_round_is_found() -> None:
    """Three trees a round for one output would be written beyond the answer."""
    fitted = GradientBoostingClassifier(n_estimators=2).fit(ROWS, LABELS)
    fitted.estimators_ = np.repeat(fitted.estimators_, 3, axis=1)
    assert "outputs" in unsound(fitted)[0].detail


@pytest.mark.parametrize(("field", "value"), [("left", 0), ("right", 9999), ("feature_idx", 77)])
def test_histogram_trees_are_looked_into(field: str, value: int) -> None:
    """Children and features of histogram trees are held to the same rules."""
    fitted = HistGradientBoostingClassifier(max_iter=2).fit(ROWS, LABELS)
    fitted._predictors[0][0].nodes[field][0] = value
    assert len(unsound(fitted)) == 1


def test_a_set_of_categories_that_is_not_there_is_found() -> None:
    """A category split that names a missing bit set is found."""
    rows = np.column_stack([ROWS, np.arange(80) % 5])
    fitted = HistGradientBoostingClassifier(max_iter=2, categorical_features=[4], min_samples_leaf=2)
    fitted.fit(rows, np.where(rows[:, 4] > 2, "good", "bad"))
    nodes = fitted._predictors[0][0].nodes
    assert nodes["is_categorical"][0]
    nodes["bitset_idx"][0] = 1000
    assert "categories" in unsound(fitted)[0].detail


def test_support_vectors_that_do_not_add_up_are_found() -> None:
    """libsvm reads as many vectors as it is told."""
    fitted = SVC().fit(ROWS, LABELS)
    fitted._n_support = np.array([1000, 1000], dtype=np.int32)
    assert "support vectors" in unsound(fitted)[0].detail
    again = SVC().fit(ROWS, LABELS)
    again._dual_coef_ = again._dual_coef_[:, :3]
    assert "do not fit" in unsound(again)[0].detail


def test_a_sparse_matrix_with_foreign_indices_is_found() -> None:
    """Column numbers beyond the matrix are found wherever the matrix lies."""
    fitted = KNeighborsClassifier(algorithm="brute").fit(sparse.csr_matrix(ROWS), LABELS)
    fitted._fit_X.indices[0] = 99
    assert "sparse" in unsound(fitted)[0].detail


def test_every_estimator_inside_is_set_to_one_job() -> None:
    """n_jobs is 1 everywhere, in the steps of a pipeline too."""
    model = make_pipeline(StandardScaler(), RandomForestClassifier(2, n_jobs=-1)).fit(ROWS, LABELS)
    make_serial(model)
    assert [p.n_jobs for p in parts(model) if hasattr(p, "n_jobs")] == [1]


def test_a_ring_of_objects_is_walked_once() -> None:
    """An estimator that holds itself does not hang the walk."""
    scaler = StandardScaler().fit(ROWS)
    scaler.me = [scaler]
    assert len(list(parts(scaler))) == 1
