"""Every column of a preprocessing is traced to the one feature that it comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from explainer.formats.structure.tracks import NotPerColumnError, Track, trace
from tests.formats import orders

ROWS = np.nan_to_num(orders.number_rows(50))
NUMBERS = [Track(i, tabled=False) for i in range(4)]


def owners(transformer: Any, inputs: Any = NUMBERS, rows: Any = ROWS) -> list[int]:
    return [t.owner for t in trace(transformer.fit(rows), list(inputs))]


@pytest.mark.parametrize(
    "key", [[3, 1], [-1, 1], np.array([3, 1]), slice(1, 4, 2), [False, True, False, True]], ids=str
)
def test_a_column_transformers_keys_are_read_in_every_form(key: Any) -> None:
    """Numbers, negative numbers, slices and masks choose the same columns as in scikit-learn."""
    transformer = ColumnTransformer([("a", FunctionTransformer(), key)]).fit(ROWS)
    found = [t.owner for t in trace(transformer, NUMBERS)]
    assert np.array_equal(transformer.transform(ROWS), ROWS[:, found])


def test_remainder_drop_and_passthrough_are_followed() -> None:
    """What is left over comes last or goes away, as scikit-learn has it."""
    kept = make_column_transformer((StandardScaler(), [2]), ("drop", [0]), remainder="passthrough")
    gone = make_column_transformer((StandardScaler(), [2]), ("passthrough", [0]))
    assert owners(kept) == [2, 1, 3]
    assert owners(gone) == [2, 0]


def test_nesting_is_followed() -> None:
    """Pipelines in transformers in pipelines, unions and selections keep every owner."""
    inner = make_column_transformer((MinMaxScaler(), [1]), remainder="passthrough")
    nested = make_pipeline(StandardScaler(), FeatureUnion([("a", inner), ("b", StandardScaler())]), VarianceThreshold())
    assert owners(nested) == [1, 0, 2, 3, 0, 1, 2, 3]


def test_an_imputers_indicator_belongs_to_the_feature_that_was_missing() -> None:
    """Indicator columns come after the imputed ones, one for each feature that was missing while fitting."""
    rows = ROWS.copy()
    rows[0, 2] = rows[1, 0] = np.nan
    assert owners(SimpleImputer(add_indicator=True), rows=rows) == [0, 1, 2, 3, 0, 2]


def test_columns_that_were_all_missing_are_left_out() -> None:
    """An imputer drops a column without any value, and so does the trace."""
    rows = ROWS.copy()
    rows[:, 1] = np.nan
    assert owners(SimpleImputer(), rows=rows) == [0, 2, 3]


@pytest.mark.parametrize(
    "settings", [{}, {"drop": "first"}, {"max_categories": 3, "handle_unknown": "ignore"}], ids=str
)
def test_one_hot_columns_are_counted_as_scikit_learn_makes_them(settings: dict[str, Any]) -> None:
    """Dropped and rare categories are accounted for."""
    codes = np.random.default_rng(0).integers(0, 6, (80, 2)).astype(str).astype(object)
    encoder = OneHotEncoder(sparse_output=False, **settings).fit(codes)
    found = trace(encoder, [Track(7, tabled=True), Track(9, tabled=True)])
    assert len(found) == encoder.transform(codes).shape[1]
    assert sorted({t.owner for t in found}) == [7, 9]


@pytest.mark.parametrize(
    "transformer",
    [
        PCA(2),
        PolynomialFeatures(),
        KBinsDiscretizer(encode="ordinal", quantile_method="averaged_inverted_cdf"),
        FunctionTransformer(np.nan_to_num),
        FunctionTransformer(np.add, kw_args={"x2": 1}),
        FeatureUnion([("a", StandardScaler())], transformer_weights={"a": 2.0}),
        OneHotEncoder(handle_unknown="error"),
    ],
    ids=lambda t: type(t).__name__,
)
def test_steps_that_mix_columns_or_are_unknown_are_named(transformer: Any) -> None:
    """What cannot be rebuilt raises with the name of the step, and is never guessed."""
    with pytest.raises(NotPerColumnError, match=type(transformer).__name__):
        trace(transformer.fit(ROWS), NUMBERS)
