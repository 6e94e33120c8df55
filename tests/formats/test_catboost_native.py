"""CatBoost models answer as CatBoost does, in both of its forms, with labels as it hashes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pytest

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused
from explainer.formats import open_model
from explainer.formats.catboost_native import MISSING
from explainer.formats.frames import frame_maker
from explainer.records import FloatArray
from tests.formats import orders

ROWS, NUMBERS = orders.mixed_rows(300), orders.number_rows(300)
FRESH, FRESH_NUMBERS = orders.mixed_rows(80, seed=4), orders.number_rows(80, seed=4)
SMALL = {"iterations": 8, "depth": 4, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
FRAME = frame_maker(orders.FEATURES, [f.name for f in orders.FEATURES], MISSING)


def opened(
    fitted: Any, folder: Path, rows: FloatArray, form: str = "cbm", pool: Any = None, **more: Any
) -> OpenedModel:
    fitted.save_model(str(folder / "model"), format=form, pool=pool)
    return open_model(orders.order(folder / "model", orders.manifest("catboost", **more), rows))


@pytest.mark.parametrize("form", ["cbm", "json"])
def test_labels_are_fed_as_text(form: str, tmp_path: Path) -> None:
    """A model on labels, some missing, gives its own probabilities in the manifest's order."""
    pool = catboost.Pool(FRAME(ROWS), orders.labels(ROWS), cat_features=["housing"])
    fitted = catboost.CatBoostClassifier(**SMALL).fit(pool)
    model = opened(fitted, tmp_path, ROWS, form, pool)
    assert model.predict(FRESH) == pytest.approx(fitted.predict_proba(FRAME(FRESH))[:, ::-1], abs=1e-12)
    assert [n.code for n in model.notices] == ["structure-unknown"]
    assert model.link == "logistic"
    assert model.margin is not None
    assert model.margin(FRESH)[:, 0] == pytest.approx(
        -fitted.predict(FRAME(FRESH), prediction_type="RawFormulaVal"), abs=1e-12
    )


@pytest.mark.parametrize("policy", ["SymmetricTree", "Lossguide"])
@pytest.mark.parametrize("form", ["cbm", "json"])
def test_numbers_keep_their_trees(policy: str, form: str, tmp_path: Path) -> None:
    """On numbers the trees are known, agree with the margin, and a row is answered alike alone."""
    from explainer.attribution.trees.evaluate import evaluate

    fitted = catboost.CatBoostClassifier(**SMALL, grow_policy=policy).fit(NUMBERS, orders.labels(NUMBERS))
    model = opened(fitted, tmp_path, NUMBERS, form, features=orders.NUMBERS)
    assert model.predict(FRESH_NUMBERS) == pytest.approx(fitted.predict_proba(FRESH_NUMBERS)[:, ::-1], abs=1e-12)
    assert model.trees is not None
    assert model.margin is not None
    assert evaluate(model.trees, FRESH_NUMBERS) == pytest.approx(model.margin(FRESH_NUMBERS), abs=1e-9)
    assert np.array_equal(model.predict(FRESH_NUMBERS[:1]), model.predict(FRESH_NUMBERS)[:1])
    assert model.predict(FRESH_NUMBERS[:0]).shape == (0, 2)


def test_several_classes_and_regressions(tmp_path: Path) -> None:
    """Softmax classes follow the manifest; a regression answers one column, a Poisson one its exponential."""
    labels = orders.labels(NUMBERS, ("a", "b", "c"))
    several = catboost.CatBoostClassifier(**SMALL).fit(NUMBERS, labels)
    model = opened(several, tmp_path, NUMBERS, features=orders.NUMBERS, classes=("c", "a", "b"))
    assert model.predict(FRESH_NUMBERS) == pytest.approx(several.predict_proba(FRESH_NUMBERS)[:, [2, 0, 1]], abs=1e-12)
    assert model.link == "softmax"
    for loss in ("RMSE", "Poisson"):
        fitted = catboost.CatBoostRegressor(**SMALL, loss_function=loss).fit(NUMBERS, np.abs(orders.target(NUMBERS)))
        value = opened(fitted, tmp_path, NUMBERS, features=orders.NUMBERS, classes=()).predict(FRESH_NUMBERS)
        assert value[:, 0] == pytest.approx(fitted.predict(FRESH_NUMBERS), abs=1e-9)


def test_what_does_not_fit_the_manifest_is_refused(tmp_path: Path) -> None:
    """Names, kinds and number of features, classes, and a file cut off."""
    fitted = catboost.CatBoostClassifier(**SMALL).fit(
        frame_maker(orders.NUMBERS, ["x0", "x1", "x2", "x3"])(NUMBERS), orders.labels(NUMBERS)
    )
    plain = catboost.CatBoostClassifier(**SMALL).fit(ROWS, orders.labels(ROWS))
    with pytest.raises(ModelRefused, match="takes 4 features"):
        opened(fitted, tmp_path, ROWS)
    with pytest.raises(ModelRefused, match="'housing' as a number; the schema says category"):
        opened(plain, tmp_path, ROWS)
    with pytest.raises(ModelRefused, match="knows the classes"):
        opened(fitted, tmp_path, NUMBERS, features=orders.NUMBERS, classes=("yes", "no"))
    other = tuple(reversed(orders.NUMBERS))
    with pytest.raises(ModelRefused, match=r"columns are \['x0'"):
        opened(fitted, tmp_path, NUMBERS, features=other)
    data = (tmp_path / "model").read_bytes()
    (tmp_path / "model").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelRefused, match="cut off"):
        open_model(orders.order(tmp_path / "model", orders.manifest("catboost", orders.NUMBERS), NUMBERS))
