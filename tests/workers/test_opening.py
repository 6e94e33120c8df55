"""A real model is opened, held to its golden predictions, and served by the methods of the house."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explainer.attribution.reference import brought
from explainer.errors import ModelRefused, WorkerDied
from explainer.records import (
    BackgroundSpec,
    CardSpec,
    ExplainOptions,
    Feature,
    FloatArray,
    GoldenSpec,
    LoadOrder,
    Manifest,
)
from explainer.settings import Settings
from explainer.workers.opening import open_version
from explainer.workers.pool import WorkerPools
from tests.workers.processes import children_of, until

FEATURES = (
    Feature("amount", "number"),
    Feature("years", "integer"),
    Feature("owner", "boolean"),
    Feature("level", "number"),
)


def rows_of(count: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, 4))
    rows[:, 1] = rng.integers(0, 40, count)
    rows[:, 2] = rng.integers(0, 2, count)
    return rows


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> LoadOrder:
    xgboost = pytest.importorskip("xgboost")
    rows = rows_of(300, 0)
    classes = (rows[:, 0] * rows[:, 2] + rows[:, 1] / 20 > 1).astype(int)
    model = xgboost.XGBClassifier(n_estimators=12, max_depth=3, n_jobs=1).fit(rows, classes)
    path = tmp_path_factory.mktemp("model") / "model.json"
    model.save_model(path)
    manifest = Manifest(
        name="real",
        version="1",
        format="xgboost",
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        task="classification",
        classes=("no", "yes"),
        positive_class="yes",
        output="probability",
        features=FEATURES,
        background=BackgroundSpec("background.csv", 40, "0" * 64, "rows"),
        golden=GoldenSpec("golden.csv", "0" * 64, "xgboost", xgboost.__version__),
        card=CardSpec("owner", "purpose", "rows", "CC0", "card.md"),
    )
    golden = model.predict_proba(rows[:20]).astype(np.float64)
    return LoadOrder(manifest, "d" * 64, path, rows_of(40, 1), "b" * 64, rows[:20], golden)


def test_a_real_model_is_opened(order: LoadOrder) -> None:
    """The report says what the model is, predictions are the golden ones, and an explanation adds up."""
    served = open_version(order)
    report = served.report
    assert (report.library, report.outputs, report.structure) == ("xgboost", 2, "trees")
    assert {"tree", "lime"} <= set(report.methods)
    assert np.abs(served.predict(order.golden_rows) - order.golden_predictions).max() < 1e-6
    ((explanation,),) = served.explain(order.golden_rows[:1], ExplainOptions())
    total = explanation.expected_value + sum(explanation.attributions)
    assert total == pytest.approx(explanation.prediction, abs=1e-6)


def test_booleans_are_categories_in_words(order: LoadOrder) -> None:
    """LIME's rules tell a boolean as false or true, which only the labels of its codes make possible."""
    ((explanation,),) = open_version(order).explain(order.golden_rows[:1], ExplainOptions(method="lime"))
    assert explanation.lime is not None
    assert any("owner" in rule and ("true" in rule or "false" in rule) for rule, _ in explanation.lime.rules)


def test_other_golden_predictions_are_refused(order: LoadOrder) -> None:
    """A model that does not reproduce its golden predictions is refused with the difference."""
    with pytest.raises(ModelRefused, match="golden") as caught:
        open_version(replace(order, golden_predictions=order.golden_predictions[::-1].copy()))
    assert caught.value.problems


def test_a_model_that_cannot_be_opened_is_refused(order: LoadOrder, tmp_path: Path) -> None:
    """A file that is not a model is refused by its format before native code sees it."""
    path = tmp_path / "model.json"
    path.write_text("{}")
    with pytest.raises(ModelRefused):
        open_version(replace(order, model_path=path))


def test_every_worker_gives_the_same_bits(order: LoadOrder) -> None:
    """Tried, opened and explained in closed-in processes: two workers, kills and shares change no bit of any answer."""
    here = open_version(order)
    rows = rows_of(6, 2)
    asked = [ExplainOptions(), ExplainOptions(method="lime"), ExplainOptions(method="permutation", max_evaluations=500)]
    expected = [here.explain(rows, options) for options in asked]
    pools = WorkerPools(Settings(workers_per_model=2))
    try:
        assert pools.trial(order, order.background[:3]).report == here.report
        pools.open(order)
        for _ in range(2):
            until(lambda: pools.state()[order.digest].alive == 2)
            assert [pools.explain(order.digest, rows, options) for options in asked] == expected
            assert [pools.explain(order.digest, rows[3:4], options)[0] for options in asked] == [e[3] for e in expected]
            assert pools.predict(order.digest, rows).tobytes() == here.predict(rows).tobytes()
            nursery, spare = pools.processes()
            for pid in set(children_of(nursery)) - {spare}:
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(WorkerDied):
                pools.predict(order.digest, rows)
    finally:
        pools.shutdown()


def test_rows_of_a_request_are_the_background_of_its_answer(order: LoadOrder) -> None:
    """A worker explains against the rows that it is sent: exact in the trees' own space, and adding up."""
    served, row = open_version(order), order.golden_rows[:1]
    for rows in (rows_of(1, 5), rows_of(9, 6)):
        options = ExplainOptions(background=brought(rows), output="log_odds")
        ((explanation,),) = served.explain(row, options)
        assert explanation.method.name == "tree"
        assert explanation.method.background == f"rows:{brought(rows).digest[:12]}"
        odds = [np.log(p[1] / p[0]) for p in served.predict(rows)]
        assert explanation.expected_value == pytest.approx(float(np.mean(odds)), abs=1e-5)
        assert explanation.expected_value + sum(explanation.attributions) == pytest.approx(
            explanation.prediction, abs=1e-5
        )


def test_a_worker_says_which_features_interact(order: LoadOrder) -> None:
    """Rows of the matrix sum to the attributions that the same worker gives, against the same background."""
    served, rows = open_version(order), order.golden_rows[:3]
    for background in ("default", brought(rows_of(5, 6))):
        options = ExplainOptions(background=background, output="log_odds")
        for (pairs,), (told,) in zip(served.interact(rows, options), served.explain(rows, options), strict=True):
            assert (pairs.method.name, pairs.method.background) == ("tree", told.method.background)
            assert np.allclose(pairs.values.sum(axis=1), told.attributions, rtol=0, atol=1e-9)
            assert np.abs(pairs.values[0, 2]) > 0


def test_a_file_that_was_swapped_is_not_opened(order: LoadOrder, tmp_path: Path) -> None:
    """The digest is taken again in the process that opens the file, before anything reads it as a model."""
    swapped = tmp_path / order.model_path.name
    swapped.write_bytes(order.model_path.read_bytes().replace(b"base_score", b"base_scorf", 1) + b" ")
    with pytest.raises(ModelRefused, match="SHA-256"):
        open_version(replace(order, model_path=swapped))
