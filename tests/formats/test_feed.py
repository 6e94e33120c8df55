"""What an estimator is fed, and how labels that it encodes itself become numbers for its trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from explainer.formats.feed import feed_of, missing_marker
from explainer.formats.frames import frame_maker
from explainer.formats.structure.tracks import NotPerColumnError
from tests.formats import orders

ROWS = orders.mixed_rows(100)
MANIFEST = orders.manifest("sklearn-skops")
FRAME = frame_maker(orders.FEATURES, [f.name for f in orders.FEATURES])


def test_an_estimator_without_names_is_fed_the_coded_rows() -> None:
    """Fitted on an array, the coded matrix itself goes in."""
    feed = feed_of(HistGradientBoostingClassifier(max_iter=1).fit(ROWS, orders.labels(ROWS)), MANIFEST)
    assert feed.make(ROWS) is ROWS
    assert feed.columns(None, orders.FEATURES) is None


def test_labels_become_positions_among_the_fitted_ones() -> None:
    """Codes are translated to the estimator's own sorted labels; one it never met is -1, missing stays missing."""
    seen = ROWS[ROWS[:, 2] != 0.0]
    frame = FRAME(seen).astype({"housing": "category"})
    estimator = HistGradientBoostingClassifier(max_iter=1).fit(frame, orders.labels(seen))
    columns = feed_of(estimator, MANIFEST).columns(estimator, orders.FEATURES)
    assert columns is not None
    rows = np.tile(ROWS[0], (5, 1))
    rows[:, 2] = [0.0, 1.0, 2.0, 3.0, np.nan]  # rent, own, for free, other, missing; fitted: for free, other, own
    assert np.array_equal(columns.encode(rows)[:, 2], [-1.0, 2.0, 0.0, 1.0, np.nan], equal_nan=True)
    assert columns.owner.tolist() == [0, 1, 2, 3, 4]


def test_an_estimator_that_takes_labels_in_another_way_has_no_columns() -> None:
    """A named estimator without an encoding of its own cannot be rebuilt from labels."""
    estimator: Any = LogisticRegression()
    estimator.feature_names_in_ = np.array([f.name for f in orders.FEATURES])
    with pytest.raises(NotPerColumnError):
        feed_of(estimator, MANIFEST).columns(estimator, orders.FEATURES)


def test_the_missing_label_is_what_the_steps_were_fitted_with() -> None:
    """None where an encoder met None or an imputer looks for it, NaN otherwise."""
    with_none = OneHotEncoder().fit(np.array([["a"], [None]], dtype=object))
    with_nan = OneHotEncoder().fit(np.array([["a"], [np.nan]], dtype=object))
    imputer = SimpleImputer(missing_values=None, strategy="most_frequent")
    imputer.fit(np.array([["a"], [None]], dtype=object))
    assert missing_marker(with_none) is None
    assert missing_marker([imputer]) is None
    assert np.isnan(missing_marker(with_nan))
