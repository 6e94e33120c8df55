"""Many rows as arrays: the very numbers of one explanation for each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.attribution.arrays import explain_arrays
from explainer.attribution.batch import Batch, of_explanations
from explainer.records import ExplainOptions
from explainer.registry.rows import code_rows
from explainer.registry.store import Registry
from explainer.workers.opening import ServedVersion, open_version
from tests.exports.models import FEATURES, drawn, register

NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> ServedVersion:
    settings, version = register(tmp_path_factory.mktemp("registered"))
    return open_version(Registry(settings).order(version))


@pytest.mark.parametrize(
    "options",
    [
        ExplainOptions(),
        ExplainOptions(output="probability"),
        ExplainOptions(output="raw", class_name="good"),
        ExplainOptions(class_name="all"),
        ExplainOptions(output="probability", class_name="all"),
        ExplainOptions(method="permutation", output="probability", max_evaluations=400),
        ExplainOptions(method="lime", output="probability", max_evaluations=500, seed=7),
        ExplainOptions(method="kernel", output="log_odds", max_evaluations=2000),
    ],
    ids=str,
)
def test_the_same_numbers_to_the_bit(served: ServedVersion, options: ExplainOptions) -> None:
    """Every field equals what comes of one record for each row."""
    rows = code_rows(FEATURES, [dict(zip(NAMES, row, strict=True)) for row in drawn(40, seed=5)])
    engine = served.engines.own
    got = explain_arrays(engine, rows, options, served.manifest)
    due = of_explanations(engine.explain(rows, options, served.manifest))
    assert len(got) == 40
    assert told(got) == told(due)
    for name in ("predictions", "expected", "values", "errors", "gaps", "evaluations", "seeds", "exact", "r2"):
        np.testing.assert_array_equal(getattr(got, name), getattr(due, name), err_msg=name)


def told(batch: Batch) -> Any:
    """What stands in words: output space, classes, methods, warnings."""
    classes = [[batch.labels[o] for o in row] for row in batch.outputs.tolist()]
    return batch.space, classes, [batch.methods[m] for m in batch.method.tolist()], batch.notices, batch.stopped


def test_a_row_does_not_depend_on_the_others(served: ServedVersion) -> None:
    """A row alone and among others has the same bits."""
    rows = code_rows(FEATURES, [dict(zip(NAMES, row, strict=True)) for row in drawn(30, seed=6)])
    engine = served.engines.own
    together = explain_arrays(engine, rows, ExplainOptions(), served.manifest)
    for i in (0, 13, 29):
        alone = explain_arrays(engine, rows[[i]], ExplainOptions(), served.manifest)
        np.testing.assert_array_equal(alone.values[0], together.values[i])
