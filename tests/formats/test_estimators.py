"""A fitted estimator as a model over coded rows: frames or arrays, black box or rebuilt, classes in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused
from explainer.formats.checked import checked
from explainer.formats.estimators import open_estimator
from explainer.formats.frames import frame_maker
from explainer.formats.structure.inside import encoded
from explainer.records import Feature, FloatArray
from tests.formats import orders

ROWS = orders.mixed_rows(150)
LABELS = orders.labels(ROWS)
FRAME = frame_maker(orders.FEATURES, [f.name for f in orders.FEATURES])
NUMBERS = ["income", "age", "member", "debt"]


def columns(**one_hot: Any) -> Any:
    return make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore", **one_hot), ["housing"]),
    )


def opened(estimator: Any, rows: FloatArray = ROWS, **more: Any) -> OpenedModel:
    order = orders.order(Path("none"), orders.manifest("sklearn-skops", **more), rows)
    return checked(open_estimator(estimator, order), order)


def fitted(*steps: Any) -> Any:
    return make_pipeline(*steps).fit(FRAME(ROWS), LABELS)


@pytest.mark.parametrize(
    "final",
    [
        GradientBoostingClassifier(n_estimators=10),
        RandomForestClassifier(10),
        LogisticRegression(),
        MLPClassifier((5,), max_iter=5),
    ],
    ids=lambda e: type(e).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_pipeline_on_raw_columns_answers_as_itself_without_pandas(final: Any) -> None:
    """Rebuilt in numpy, a pipeline gives its own probabilities for any rows, none and one among them."""
    pipeline = fitted(columns(), final)
    model = opened(pipeline)
    fresh = orders.mixed_rows(300, seed=9)
    assert model.columns is not None
    assert model.notices == ()
    assert model.predict(fresh) == pytest.approx(pipeline.predict_proba(FRAME(fresh))[:, ::-1], abs=1e-14)
    assert model.predict(fresh[:1]) == pytest.approx(pipeline.predict_proba(FRAME(fresh[:1]))[:, ::-1], abs=1e-14)
    assert model.predict(fresh[:0]).shape == (0, 2)


def test_trees_and_weights_describe_the_margin_in_the_manifests_order() -> None:
    """After classes were reordered the structure still adds up to the margin, and the margin to the probabilities."""
    from explainer.attribution.trees.evaluate import evaluate

    boosted, weighted = (
        opened(fitted(columns(), GradientBoostingClassifier())),
        opened(fitted(columns(), LogisticRegression())),
    )
    for model in (boosted, weighted):
        assert model.margin is not None
        margin = model.margin(ROWS)
        assert model.link == "logistic"
        assert model.predict(ROWS)[:, 1] == pytest.approx(1.0 / (1.0 + np.exp(-margin[:, 0])), abs=1e-12)
        if model.trees is not None:
            assert evaluate(model.trees, encoded(model.columns, ROWS)) == pytest.approx(margin, abs=1e-9)
        else:
            assert model.linear is not None
            sums = encoded(model.columns, ROWS) @ model.linear.coefficients + model.linear.intercept
            assert sums == pytest.approx(margin, abs=1e-9)
    assert boosted.trees is not None
    assert weighted.linear is not None


def test_a_pipeline_that_mixes_columns_is_a_black_box_and_says_so() -> None:
    """After PCA no column belongs to one feature: the pipeline runs as it is, and a notice says why."""
    pipeline = fitted(columns(sparse_output=False), PCA(2), LogisticRegression())
    model = opened(pipeline)
    assert model.columns is None
    assert model.linear is None
    assert [n.code for n in model.notices] == ["black-box-pipeline"]
    assert "PCA" in model.notices[0].detail
    assert model.predict(ROWS) == pytest.approx(pipeline.predict_proba(FRAME(ROWS))[:, ::-1], abs=1e-14)


def test_histogram_boosting_on_labels_keeps_its_trees() -> None:
    """Fitted on pandas categories, its trees speak of the positions of its own labels, and agree with its margin."""
    frame = FRAME(ROWS).astype({"housing": "category"})
    estimator = HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=5).fit(frame, LABELS)
    model = opened(estimator)
    assert model.trees is not None
    assert model.columns is not None
    assert model.columns.owner.tolist() == [0, 1, 2, 3, 4]
    fresh = orders.mixed_rows(100, seed=3)
    assert np.array_equal(model.predict(fresh), estimator.predict_proba(FRAME(fresh))[:, ::-1])


def test_histogram_boosting_behind_an_ordinal_encoder_keeps_its_trees() -> None:
    """Codes made by a pipeline and split as categories are rebuilt as well."""
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    preprocessing = make_column_transformer((ordinal, ["housing"]), remainder="passthrough")
    pipeline = fitted(preprocessing, HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]))
    model = opened(pipeline)
    assert model.trees is not None
    assert model.columns is not None
    assert model.columns.owner.tolist() == [2, 0, 1, 3, 4]
    assert np.array_equal(model.predict(ROWS), pipeline.predict_proba(FRAME(ROWS))[:, ::-1])


def test_an_estimator_fitted_on_arrays_is_fed_the_coded_matrix() -> None:
    """Without column names the coded rows are the input."""
    estimator = HistGradientBoostingClassifier(max_iter=5).fit(ROWS, LABELS)
    model = opened(estimator)
    assert model.columns is None
    assert np.array_equal(model.predict(ROWS), estimator.predict_proba(ROWS)[:, ::-1])


def test_columns_fitted_in_another_order_are_found_by_name() -> None:
    """A frame of numbers in another order than the schema's is fed in its own order."""
    rows = orders.number_rows(100)
    order = ["x2", "x0", "x3", "x1"]
    frame = frame_maker(orders.NUMBERS, order)(rows)
    estimator = RandomForestClassifier(5).fit(frame, orders.labels(rows))
    model = opened(estimator, rows, features=orders.NUMBERS)
    assert model.columns is not None
    assert model.columns.owner.tolist() == [2, 0, 3, 1]
    assert np.array_equal(model.predict(rows), estimator.predict_proba(frame.to_numpy())[:, ::-1])


def test_a_regression_answers_one_column() -> None:
    """A regression has one output and the identity link; its margin is its prediction."""
    rows = np.nan_to_num(orders.number_rows(100))
    for estimator in (GradientBoostingRegressor(n_estimators=5), Lasso(0.1)):
        fit = estimator.fit(rows, orders.target(rows))
        model = opened(fit, rows, features=orders.COMPLETE, classes=())
        assert model.link == "identity"
        assert model.predict(rows)[:, 0] == pytest.approx(fit.predict(rows))
        assert (model.trees is not None) != (model.linear is not None)


def test_a_label_that_was_missing_as_none_is_fed_as_none() -> None:
    """A pipeline fitted on None gets None, not NaN, for a missing label."""
    frame = frame_maker(orders.FEATURES, [f.name for f in orders.FEATURES], None)(ROWS)
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="error"), ["housing"]))
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(frame, LABELS)
    assert opened(pipeline).predict(ROWS) == pytest.approx(pipeline.predict_proba(frame)[:, ::-1], abs=1e-14)


def test_a_category_that_the_model_never_met_is_refused_by_name() -> None:
    """A schema with a category that the encoder refuses does not fit the model."""
    seen = ROWS[ROWS[:, 2] != 3.0]
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="error"), ["housing"]), remainder="drop")
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(FRAME(seen), orders.labels(seen))
    with pytest.raises(ModelRefused, match="'housing': the schema allows 'other'"):
        opened(pipeline, seen)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (RidgeClassifier(), "has no predict_proba.*CalibratedClassifierCV"),
        (SVC(), "has no predict_proba"),
        (LogisticRegression(), "is not fitted"),
    ],
)
def test_an_estimator_without_probabilities_or_fit_is_refused(estimator: Any, message: str) -> None:
    """What cannot answer probabilities is refused with what to do."""
    with pytest.raises(ModelRefused, match=message):
        opened(estimator)


def test_what_does_not_fit_the_manifest_is_refused() -> None:
    """Another number of features, other names, other classes and several labels at once are each refused in words."""
    rows = np.nan_to_num(orders.number_rows(60))
    labels = orders.labels(rows)
    narrow = LogisticRegression().fit(rows, labels)
    with pytest.raises(ModelRefused, match="takes 4; the manifest describes 5"):
        opened(narrow)
    names = [Feature(n, "number") for n in ("x0", "x1", "x2", "y")]
    named = LogisticRegression().fit(frame_maker(orders.COMPLETE, [f.name for f in orders.COMPLETE])(rows), labels)
    with pytest.raises(ModelRefused, match=r"the schema lacks \['x3'\], the model does not know \['y'\]"):
        opened(named, rows, features=tuple(names))
    with pytest.raises(ModelRefused, match="knows the classes"):
        opened(narrow, rows, features=orders.COMPLETE, classes=("yes", "no"))
    several = MultiOutputClassifier(LogisticRegression()).fit(rows, np.column_stack([labels, labels]))
    with pytest.raises(ModelRefused, match="several labels"):
        opened(several, rows, features=orders.COMPLETE)


def test_three_classes_are_reordered() -> None:
    """Probabilities of three classes follow the manifest."""
    rows = np.nan_to_num(orders.number_rows(150))
    names = ("high", "low", "middle")
    estimator = GradientBoostingClassifier(n_estimators=3).fit(rows, orders.labels(rows, names))
    model = opened(estimator, rows, features=orders.COMPLETE, classes=("low", "middle", "high"))
    assert np.array_equal(model.predict(rows), estimator.predict_proba(rows)[:, [1, 2, 0]])
    assert model.link == "softmax"
    assert model.trees is not None


def test_warnings_of_opening_become_notices() -> None:
    """What the library warned of while opening, such as another version, is told; deprecations are not."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("Trying to unpickle\n an estimator from version 1.2", UserWarning, stacklevel=1)
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
    order = orders.order(Path("none"), orders.manifest("sklearn-skops"), ROWS)
    model = open_estimator(fitted(columns(), LogisticRegression()), order, caught)
    assert [n.detail for n in model.notices] == ["Trying to unpickle an estimator from version 1.2"]


def test_wrappers_of_other_libraries_at_the_end_keep_their_trees() -> None:
    """XGBoost and LightGBM behind a column transformer, as joblib files hold them, show their trees too."""
    import lightgbm
    import xgboost

    target = (LABELS == "bad").astype(int)
    for final in (xgboost.XGBClassifier(n_estimators=5), lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)):
        pipeline = make_pipeline(columns(sparse_output=False), final).fit(FRAME(ROWS), target)
        model = opened(pipeline, classes=("0", "1"))
        assert model.trees is not None, model.notices
        assert model.predict(ROWS) == pytest.approx(pipeline.predict_proba(FRAME(ROWS)), abs=1e-6)
