"""The entry: which format, which signature, which problems."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explainer.errors import ModelRefused
from explainer.formats import open_model
from tests.formats import orders

ROWS = orders.mixed_rows(20)


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """A manifest that names no known format is refused, and the known ones are listed."""
    with pytest.raises(ModelRefused, match=r"'onyx' is not a model format.*onnx"):
        open_model(orders.order(tmp_path / "model", orders.manifest("onyx"), ROWS))


def test_an_unsigned_joblib_file_is_refused_before_it_is_touched(tmp_path: Path) -> None:
    """Without a signature the refusal speaks of the signature even when there is no file at all."""
    with pytest.raises(ModelRefused, match="signature of an allowed key"):
        open_model(orders.order(tmp_path / "none", orders.manifest("sklearn-joblib"), ROWS))


def test_a_file_with_problems_is_refused_with_all_of_them(tmp_path: Path) -> None:
    """What inspection finds comes with the refusal."""
    (tmp_path / "model").write_bytes(b"not a model")
    with pytest.raises(ModelRefused, match="neither JSON nor UBJ") as caught:
        open_model(orders.order(tmp_path / "model", orders.manifest("xgboost"), ROWS))
    assert [p.where for p in caught.value.problems] == ["model.file"]


def test_a_model_that_opens_and_cannot_predict_is_refused_with_its_version(tmp_path: Path) -> None:
    """An estimator of another version that lacks an attribute fails in predict; opening it says so."""
    import skops.io
    from sklearn.naive_bayes import GaussianNB

    rows = orders.mixed_rows(30)
    rows = rows[~np.isnan(rows).any(axis=1)]
    estimator = GaussianNB().fit(rows, orders.labels(rows))
    del estimator.var_
    skops.io.dump(estimator, tmp_path / "model")
    features = tuple(replace(f, nullable=False) for f in orders.FEATURES)
    with pytest.raises(ModelRefused, match=r"opens but cannot predict.*AttributeError.*made with a library 1\.0"):
        open_model(orders.order(tmp_path / "model", orders.manifest("sklearn-skops", features), rows))
