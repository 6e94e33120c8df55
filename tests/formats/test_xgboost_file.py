"""An XGBoost document is refused wherever native code would leave its arrays, or the manifest says otherwise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import xgboost

from explainer.formats import xgboost_file
from explainer.formats.unfit import UnfitError
from explainer.records import Feature
from tests.formats import orders

MANIFEST = orders.manifest("xgboost")


def _document() -> dict[str, Any]:
    rows = orders.mixed_rows(200)
    label = (orders.labels(rows) == "bad").astype(int)
    names, types = [f.name for f in orders.FEATURES], ["q", "int", "c", "i", "q"]
    data = xgboost.DMatrix(rows, label=label, feature_names=names, feature_types=types, enable_categorical=True)
    trained = xgboost.train({"objective": "binary:logistic", "max_depth": 4}, data, 4)
    found: dict[str, Any] = json.loads(bytes(trained.save_raw("json")))
    return found


DOCUMENT = _document()


def model(document: dict[str, Any]) -> Any:
    return document["learner"]["gradient_booster"]["model"]


def tree(document: dict[str, Any]) -> Any:
    return model(document)["trees"][0]


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change of the document: the last of `path` goes where the others lead."""

    def change(document: Any) -> None:
        *keys, last, value = path
        for key in keys:
            document = document[key]
        document[last] = value

    return change


TREE = ("learner", "gradient_booster", "model", "trees", 0)
MODEL = TREE[:3]


def set_node() -> int:
    return int(tree(DOCUMENT)["categories_nodes"][0])


def test_what_xgboost_wrote_has_no_problem() -> None:
    """The document as it is passes."""
    assert xgboost_file.problems(DOCUMENT, MANIFEST) == []


@pytest.mark.parametrize(
    "change",
    [
        put(*TREE, "left_children", 0, 9_999),
        put(*TREE, "left_children", 0, 0),
        put(*TREE, "right_children", 0, 1),
        put(*TREE, "right_children", 0, -1),
        put(*TREE, "right_children", 0, -5),
        put(*TREE, "right_children", -1, 3),
        put(*TREE, "left_children", 0, 1.5),
        put(*TREE, "split_indices", 0, 5),
        put(*TREE, "split_indices", 0, -1),
        put(*TREE, "parents", 1, 7),
        put(*TREE, "parents", 0, 1 << 40),
        put(*TREE, "split_conditions", []),
        put(*TREE, "split_conditions", 0, "x"),
        put(*TREE, "default_left", [1]),
        put(*TREE, "tree_param", "num_nodes", "3"),
        put(*TREE, "tree_param", "num_feature", "50"),
        put(*TREE, "tree_param", "size_leaf_vector", "7"),
        put(*TREE, "id", 3),
        put(*TREE, "categories", 0, 1 << 30),
        put(*TREE, "categories", 0, -1),
        put(*TREE, "categories_sizes", 0, 10_000),
        put(*TREE, "categories_segments", 0, -1),
        put(*TREE, "categories_nodes", []),
        put(*MODEL, "tree_info", 0, 1),
        put(*MODEL, "tree_info", []),
        put(*MODEL, "gbtree_model_param", "num_trees", "5"),
        put(*MODEL, "gbtree_model_param", "num_parallel_tree", "-1"),
        put(*MODEL, "iteration_indptr", 1, 50),
        put(*MODEL, "trees", {}),
        put("learner", "gradient_booster", "name", "gbjungle"),
        put("learner", "gradient_booster", []),
        put("learner", "learner_model_param", "num_class", "99999"),
        put("learner", "learner_model_param", "num_target", "9"),
        put("learner", "learner_model_param", "base_score", "[NaN]"),
        put("learner", "learner_model_param", "base_score", "[0.5,0.5,0.5]"),
        put("learner", "learner_model_param", "num_feature", "x"),
        put(*MODEL, "cats", "feature_segments", [0, 9]),
    ],
)
def test_a_change_that_would_lead_native_code_astray_is_found(change: Callable[[dict[str, Any]], None]) -> None:
    """Each single change of an honest document is a problem."""
    changed = copy.deepcopy(DOCUMENT)
    change(changed)
    assert xgboost_file.problems(changed, MANIFEST)


def test_a_set_of_categories_at_a_numeric_node_is_found() -> None:
    """Nodes that split by sets and the list of sets must be the same nodes."""
    changed = copy.deepcopy(DOCUMENT)
    tree(changed)["split_type"][set_node()] = 0
    assert xgboost_file.problems(changed, MANIFEST)


def test_what_the_manifest_says_otherwise_is_told_feature_by_feature() -> None:
    """Names, types, number of features and number of classes are compared."""
    one = replace(orders.FEATURES[2], type="number", categories=())
    other = (*orders.FEATURES[:2], one, *orders.FEATURES[3:])
    renamed = (*orders.FEATURES[:4], Feature("debts", "number"))
    found = {
        name: [p.where for p in xgboost_file.problems(DOCUMENT, orders.manifest("xgboost", *more))]
        for name, more in {
            "type": (other,),
            "name": (renamed,),
            "number": (orders.FEATURES[:4],),
            "classes": (orders.FEATURES, ("a", "b", "c")),
        }.items()
    }
    assert found == {
        "type": ["features.housing"], "name": ["features"], "number": ["features"], "classes": ["model.classes"],
    }  # fmt: skip


def test_category_names_that_the_file_keeps_must_be_the_schemas_in_its_order() -> None:
    """XGBoost 3.1 keeps the labels it was trained on; another order would swap categories without a word."""
    import pandas as pd

    rows = orders.mixed_rows(200)
    labels = list(orders.FEATURES[2].categories)
    codes = [-1 if c != c else int(c) for c in rows[:, 2]]  # noqa: PLR0124
    frame = pd.DataFrame({f.name: rows[:, i] for i, f in enumerate(orders.FEATURES)})
    frame["housing"] = pd.Categorical.from_codes(codes, categories=labels)
    classifier = xgboost.XGBClassifier(n_estimators=2, enable_categorical=True)
    classifier.fit(frame, (orders.labels(rows) == "bad").astype(int))
    document = json.loads(bytes(classifier.get_booster().save_raw("json")))
    if "cats" not in model(document):
        pytest.skip("this XGBoost keeps no category names; 3.1 and later do")
    swapped = replace(orders.FEATURES[2], categories=("own", "rent", "for free", "other"))
    assert xgboost_file.problems(document, MANIFEST) == []
    (problem,) = xgboost_file.problems(
        document, orders.manifest("xgboost", (*orders.FEATURES[:2], swapped, *orders.FEATURES[3:]))
    )
    assert (problem.where, problem.rule) == ("features.housing", "categories")


@pytest.mark.parametrize(
    "data",
    [b"", b"binf", b"{", b"[]", b'{"learner": {}}', b'{"learner": 1, "version": [1]}', b'{"a": 1, "a": 2}',
     b'{"a":' * 5_000],
)  # fmt: skip
def test_what_is_no_document_of_xgboost_is_refused(data: bytes) -> None:
    """The old binary form, other JSON, doubled keys and depth are refused in one way."""
    with pytest.raises(UnfitError):
        xgboost_file.read(data)
