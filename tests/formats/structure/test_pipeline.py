"""Rebuilt preprocessing gives the matrix that scikit-learn gives, on rows it never saw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from explainer.attribution.model import Columns
from explainer.errors import ModelRefused
from explainer.formats.frames import frame_maker
from explainer.formats.structure import pipeline
from explainer.formats.structure.tracks import NotPerColumnError
from explainer.records import FloatArray
from tests.formats import orders

ROWS = orders.mixed_rows(150)
TARGET = (orders.labels(ROWS) == "good").astype(int)
FRAME = frame_maker(orders.FEATURES, [f.name for f in orders.FEATURES])
NUMBERS = ["income", "age", "debt"]


def read(transformer: Any, rows: FloatArray = ROWS) -> tuple[Columns, Any]:
    fitted = transformer.fit(FRAME(rows), TARGET[: len(rows)])

    def transform(some: FloatArray) -> FloatArray:
        made = fitted.transform(FRAME(some))
        return np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=np.float64)

    return pipeline.read(fitted, transform, orders.FEATURES, range(5), rows), transform


@pytest.mark.parametrize(
    "numbers",
    [
        make_pipeline(SimpleImputer(), StandardScaler()),
        make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler(with_mean=False)),
        make_pipeline(SimpleImputer(strategy="constant", fill_value=-1.0), MinMaxScaler(clip=True)),
        make_pipeline(StandardScaler(with_std=False), SimpleImputer(), MaxAbsScaler()),
        make_pipeline(RobustScaler(with_centering=False), RobustScaler(with_scaling=False)),
        make_pipeline(SimpleImputer(), Binarizer(threshold=30.0)),
        FunctionTransformer(np.cbrt),
        make_pipeline(SimpleImputer(), OneHotEncoder(handle_unknown="ignore")),
        "passthrough",
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "categories",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(drop="if_binary", handle_unknown="ignore", sparse_output=False),
        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TargetEncoder(),
    ],
    ids=str,
)
def test_columns_are_scikit_learns_own(numbers: Any, categories: Any) -> None:
    """On rows that were not used to prove it, the encoder gives scikit-learn's matrix, to the bit for numbers."""
    transformer = make_column_transformer((numbers, NUMBERS), (categories, ["housing"]), remainder="passthrough")
    columns, transform = read(transformer)
    fresh = orders.mixed_rows(400, seed=5)
    made, truth = columns.encode(fresh), transform(fresh)
    assert np.array_equal(made, truth, equal_nan=True)
    assert len(columns.owner) == truth.shape[1]
    assert np.array_equal(columns.encode(fresh[:1]), truth[:1], equal_nan=True)
    assert columns.encode(fresh[:0]).shape == (0, truth.shape[1])


def test_a_column_changes_with_its_owner_and_with_nothing_else() -> None:
    """Each column moves when its owner is replaced, and stays when any other feature is."""
    columns, _ = read(
        make_column_transformer(
            (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), NUMBERS),
            (OneHotEncoder(handle_unknown="ignore"), ["housing", "member"]),
        )
    )
    first, second = orders.mixed_rows(300, seed=1), orders.mixed_rows(300, seed=2)
    for feature in range(5):
        mixed = first.copy()
        mixed[:, feature] = second[:, feature]
        moved = (columns.encode(mixed) != columns.encode(first)).any(axis=0)
        assert np.array_equal(moved, columns.owner == feature)


def test_a_transformer_that_lies_about_itself_is_found_out() -> None:
    """A scaler that answers otherwise than its fitted numbers say is not rebuilt."""

    def lying(rows: FloatArray) -> FloatArray:
        return np.asarray(scaler.transform(rows) + (np.nan_to_num(rows[:, [0]]) > 45.0), dtype=np.float64)

    rows = orders.number_rows(100) * 20.0 + 40.0
    scaler = StandardScaler().fit(rows)
    with pytest.raises(NotPerColumnError, match="not what its steps say"):
        pipeline.read(scaler, lying, orders.NUMBERS, range(4), rows)


def test_a_missing_value_that_the_schema_allows_and_the_encoder_refuses_is_named() -> None:
    """A nullable category whose encoder never met a missing one does not fit."""
    complete = ROWS[~np.isnan(ROWS[:, 2])]
    transformer = make_column_transformer((OneHotEncoder(handle_unknown="error"), ["housing"]))
    with pytest.raises(ModelRefused, match="'housing': the schema allows 'a missing value'"):
        read(transformer, complete)


def test_proving_rows_are_mixtures_with_values_missing_where_they_may() -> None:
    """Half of the rows are not in the background, and only nullable columns have more missing values than it."""
    complete = np.nan_to_num(ROWS)
    proof = pipeline.proving_rows(complete, orders.FEATURES)
    assert np.isnan(proof).any(axis=0).tolist() == [True, False, True, False, False]
    assert np.array_equal(proof, pipeline.proving_rows(complete, orders.FEATURES), equal_nan=True)
