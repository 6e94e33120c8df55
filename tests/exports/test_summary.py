"""What all rows say together is what they would say at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from explainer.attribution.summary import summarised
from explainer.exports.summary import added, bins_of, summed, told
from tests.exports.jobs import BACKGROUND, bench
from tests.exports.models import Additive

NAMES = ("amount", "months", "purpose")
ROWS = np.stack([np.linspace(0, 44_000, 60), np.arange(60) % 120 + 1, np.arange(60) % 4], axis=1)


def test_sums_of_chunks_are_those_of_all_rows() -> None:
    """Importance, its error, reasons and counts from three chunks equal those computed from all rows at once."""
    model, bins = Additive(), bins_of(BACKGROUND, [0, 0, 4])
    parts = [summed(model.explain(ROWS[a:b]), ROWS[a:b], bins) for a, b in ((0, 20), (20, 21), (21, 60))]
    found = told(added(parts), NAMES, bins, shared_seed=False)
    batch = model.explain(ROWS)
    due = summarised(batch.values[:, :, 0], batch.errors[:, :, 0])
    (of_class,) = found["classes"]
    features = {f["feature"]: f for f in of_class["features"]}
    for name, one in zip(NAMES, due, strict=True):
        assert features[name]["mean_absolute"] == pytest.approx(one.mean_absolute)
        assert features[name]["standard_error"] == pytest.approx(one.standard_error)
        assert features[name]["mean"] == pytest.approx(one.mean)
        assert features[name]["mean_standard_error"] == pytest.approx(one.mean_standard_error)
        assert features[name]["share_positive"] == pytest.approx(one.share_positive)
    assert [f["feature"] for f in of_class["features"]] == ["amount", "purpose", "months"]
    assert sum(f["leading_reason"] for f in features.values()) == 59  # the first row has no reason at all
    assert features["amount"]["reason_up"] == 59
    assert features["months"]["reason_up"] == features["months"]["reason_down"] == 0
    assert (of_class["class"], of_class["rows"], found["evaluations"], found["exact_rows"]) == ("bad", 60, 480, 60)
    assert of_class["mean_prediction"] == pytest.approx(batch.predictions.mean())


def test_a_class_may_have_any_name() -> None:
    """Classes that are called as a sum is called are added up like others."""
    one = {"classes": {"prediction": {"rows": 2}, "expected_value": {"rows": 1}}}
    assert added([one, one])["classes"] == {"prediction": {"rows": 4}, "expected_value": {"rows": 2}}


def test_an_error_unknown_once_is_unknown_for_all() -> None:
    """A chunk without standard errors makes those of the whole unknown, whatever the order."""
    known, unknown = {"classes": {"": {"error": [1.0]}}}, {"classes": {"": {"error": None}}}
    for order in ([known, unknown], [unknown, known], [known, unknown, known]):
        assert added(order)["classes"][""]["error"] is None


def test_drift_tells_rows_like_the_background_from_others() -> None:
    """Rows drawn as the background was have a small index; rows from elsewhere, or without values, a large one."""
    random = np.random.default_rng(0)
    background = np.stack([random.normal(size=2000), random.integers(0, 4, 2000)], axis=1)
    bins = bins_of(background, [0, 4])
    same = np.stack([random.normal(size=2000), random.integers(0, 4, 2000)], axis=1)
    other = np.stack([random.normal(2, 1, size=2000), np.full(2000, np.nan)], axis=1)

    def drift(rows: np.ndarray) -> list[dict[str, object]]:
        model_rows = np.stack([np.zeros(len(rows)), np.ones(len(rows)), np.zeros(len(rows))], axis=1)
        return told(summed(Additive().explain(model_rows), rows, bins), NAMES, bins, shared_seed=False)["drift"]

    assert [d["reading"] for d in drift(same)] == ["none", "none"]
    assert [d["reading"] for d in drift(other)] == ["large", "large"]
    assert [d["missing"] for d in drift(other)] == [0, 2000]


def test_the_report_is_one_accessible_file(tmp_path: Path) -> None:
    """No script, nothing from elsewhere, a language, a title, headers of tables; names are escaped."""
    source = tmp_path / "<b>rows.csv"
    source.write_text("id,amount,months,purpose\n" + "1,10,12,car\n" * 30)
    found = bench(tmp_path / "out", source)
    found.compute()
    page = found.bytes()["report.html"].decode()
    assert "<script" not in page
    assert "http" not in page
    assert "<b>rows" not in page
    assert '<html lang="en">' in page
    assert "<title>Explanations of credit 1.0</title>" in page
    assert page.count('<th scope="col">') > 10
    assert json.loads(found.bytes()["summary.json"])["classes"][0]["rows"] == 30
