"""scikit-learn by joblib: opened under a signature, and never otherwise."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from explainer.errors import ModelRefused
from explainer.formats import open_model
from tests.formats import orders

ROWS = orders.number_rows(80)
LABELS = orders.labels(ROWS)
MANIFEST = orders.manifest("sklearn-joblib", orders.NUMBERS)


class Marker:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_a_signed_model_opens_and_answers(tmp_path: Path) -> None:
    """Under a signature the estimator answers as before it was saved."""
    fitted = RandomForestClassifier(5).fit(ROWS, LABELS)
    joblib.dump(fitted, tmp_path / "model")
    model = open_model(orders.order(tmp_path / "model", MANIFEST, ROWS, signed_by="a key"))
    assert np.array_equal(model.predict(ROWS), fitted.predict_proba(ROWS)[:, ::-1])
    assert model.trees is not None


def test_no_code_of_an_unsigned_file_runs(tmp_path: Path) -> None:
    """A pickle that would leave a file behind leaves none when the manifest is not signed, and would when it is."""
    joblib.dump(Marker(tmp_path / "ran"), tmp_path / "model")
    with pytest.raises(ModelRefused, match="signature"):
        open_model(orders.order(tmp_path / "model", MANIFEST, ROWS))
    assert not (tmp_path / "ran").exists()
    with pytest.raises(ModelRefused):
        open_model(orders.order(tmp_path / "model", MANIFEST, ROWS, signed_by="a key"))
    assert (tmp_path / "ran").exists()


def test_a_broken_pickle_is_refused_in_words(tmp_path: Path) -> None:
    """A signed file that is no pickle is refused with joblib's reason."""
    (tmp_path / "model").write_bytes(b"hello")
    with pytest.raises(ModelRefused, match="joblib cannot read"):
        open_model(orders.order(tmp_path / "model", MANIFEST, ROWS, signed_by="a key"))


@pytest.mark.parametrize("thing", [{"a": 1}, RandomForestClassifier()])
def test_what_is_no_fitted_estimator_is_refused(thing: object, tmp_path: Path) -> None:
    """A dictionary and an estimator that was never fitted are refused."""
    joblib.dump(thing, tmp_path / "model")
    with pytest.raises(ModelRefused, match=r"has no predict_proba|is not fitted"):
        open_model(orders.order(tmp_path / "model", MANIFEST, ROWS, signed_by="a key"))
