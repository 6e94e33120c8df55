"""LightGBM text is refused wherever its reader would leave its arrays, and written again without loss."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np
import pytest

from explainer.formats import lightgbm_file
from explainer.formats.unfit import UnfitError
from tests.formats import hostile, orders

ROWS = orders.mixed_rows(300)
BAD = (orders.labels(ROWS) == "bad").astype(int)


def trained(label: Any = BAD, **settings: Any) -> Any:
    settings = {"n_estimators": 4, "num_leaves": 6, "verbose": -1, "min_child_samples": 5, **settings}
    return lightgbm.LGBMClassifier(**settings).fit(ROWS, label, categorical_feature=[2]).booster_


BY_HOUSING = np.nan_to_num(ROWS[:, 2]) % 2 == 1
TEXT = trained(BY_HOUSING ^ (ROWS[:, 4] > 9.0)).model_to_string()


def first(key: str, value: str) -> Callable[[str], str]:
    """The first line of `key` says `value`; `{}` stands for what it said."""
    return lambda text: re.sub(rf"^{key}=(.*)$", lambda m: f"{key}={value.format(m[1])}", text, count=1, flags=re.M)


@pytest.mark.parametrize("settings", [{}, {"boosting_type": "dart"}, {"linear_tree": True}, {"num_leaves": 2}], ids=str)
def test_the_rendered_model_predicts_the_same(settings: dict[str, Any]) -> None:
    """What was checked and written again is the same model to the bit."""
    booster = trained(**settings)
    text = lightgbm_file.read(booster.model_to_string().encode()).rendered()
    assert np.array_equal(lightgbm.Booster(model_str=text).predict(ROWS), booster.predict(ROWS))


def test_a_random_forest_keeps_its_average() -> None:
    """The mark that outputs are averaged survives."""
    booster = trained(boosting_type="rf", bagging_freq=1, bagging_fraction=0.5)
    text = lightgbm_file.read(booster.model_to_string().encode())
    assert text.averaged
    assert np.array_equal(lightgbm.Booster(model_str=text.rendered()).predict(ROWS), booster.predict(ROWS))


@pytest.mark.parametrize(
    "change",
    [
        first("left_child", "0 {}"),
        first("left_child", "99999"),
        first("right_child", "-2147483648 1 2 3 4"),
        first("right_child", "1 1 1 1 1"),
        first("split_feature", "5 5 5 5 5"),
        first("split_feature", "-1 0 0 0 0"),
        first("decision_type", "64 2 2 2 2"),
        first("threshold", "1 2"),
        first("threshold", "x 1 1 1 1"),
        first("leaf_value", "nan 1 1 1 1 1"),
        first("leaf_value", ""),
        first("num_leaves", "1000000000"),
        first("num_leaves", "0"),
        first("num_leaves", "-1"),
        first("num_cat", "77"),
        first("num_cat", "0"),
        first("cat_boundaries", "0 9"),
        first("cat_boundaries", "1 {}"),
        first("cat_threshold", "-1"),
        first("cat_threshold", "99999999999"),
        first("is_linear", "1"),
        first("shrinkage", "x"),
        first("max_feature_idx", "999"),
        first("max_feature_idx", "-1"),
        first("num_tree_per_iteration", "3"),
        first("num_tree_per_iteration", "0"),
        first("num_class", "99999"),
        first("feature_names", "a b"),
        first("feature_infos", "{} none"),
        first("feature_infos", "[a:b] none none none none"),
        first("Tree", "7"),
        first("objective", "binary\tsigmoid"),
        lambda text: text.replace("num_leaves=", "num_leaves=6\nnum_leaves=", 1),
        lambda text: text.replace("num_leaves=", "unknown=1\nnum_leaves=", 1),
        lambda text: text.replace("end of trees", ""),
        lambda text: text.replace("tree\n", "forest\n", 1),
        lambda text: text[: len(text) // 3],
        lambda text: re.sub(r"pandas_categorical:.*", "pandas_categorical:[1]", text),
        lambda text: re.sub(r"pandas_categorical:.*", "pandas_categorical:{", text),
    ],
)
def test_a_change_that_would_lead_the_reader_astray_is_refused(change: Callable[[str], str]) -> None:
    """Each single change of an honest text is refused."""
    changed = change(TEXT)
    assert changed != TEXT
    with pytest.raises(UnfitError):
        lightgbm_file.read(changed.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    """Other encodings are not guessed."""
    with pytest.raises(UnfitError, match="UTF-8"):
        lightgbm_file.read(b"\xff\xfe")


def test_parameters_do_not_reach_the_reader() -> None:
    """What stands after the trees (file names, machines, ports) is left out of what LightGBM is given."""
    hostile_text = TEXT.replace("[machines: ]", "[machines: 10.0.0.1:1]")
    assert "machines" not in lightgbm_file.read(hostile_text.encode()).rendered()


def test_mutants_are_read_or_refused() -> None:
    """Five hundred mutants raise nothing but the one error."""
    refused = 0
    for data in hostile.mutants(TEXT.encode(), 500):
        try:
            lightgbm_file.read(data)
        except UnfitError:
            refused += 1
    assert refused > 100


def test_what_the_manifest_says_otherwise_is_told() -> None:
    """Number and names of features, number of classes, and pandas categories in another order."""
    names = [f.name for f in orders.FEATURES]
    named = lightgbm_file.read(
        first("feature_names", " ".join(names))(TEXT).replace("pandas_categorical:null", "pandas_categorical:"
        '[["rent", "own", "for free", "other"]]').encode()
    )  # fmt: skip
    assert lightgbm_file.problems(named, orders.manifest("lightgbm")) == []
    swapped = replace(orders.FEATURES[2], categories=("own", "rent", "for free", "other"))
    cases: dict[str, Any] = {
        "number": (orders.FEATURES[:4],),
        "names": ((*orders.FEATURES[:4], replace(orders.FEATURES[4], name="debts")),),
        "categories": ((*orders.FEATURES[:2], swapped, *orders.FEATURES[3:]),),
    }
    for rule, more in cases.items():
        assert [p.rule for p in lightgbm_file.problems(named, orders.manifest("lightgbm", *more))] == [rule]
    (problem,) = lightgbm_file.problems(named, orders.manifest("lightgbm", classes=("a", "b", "c")))
    assert problem.where == "model.classes"
