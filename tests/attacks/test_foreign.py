"""Rows that no customer ever was are sent to see what the model does with them."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.demo.datasets import german_credit
from explainer.records import ExplainOptions, FloatArray
from explainer.workers.opening import ServedVersion
from tests.attacks.serving import served


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> ServedVersion:
    return served(german_credit(), tmp_path_factory.mktemp("model"), n_estimators=20, max_depth=3)


def warned(at: ServedVersion, rows: FloatArray, **options: object) -> list[set[str]]:
    answers = at.explain(rows, ExplainOptions(output="log_odds", **options))  # type: ignore[arg-type]
    return [{notice.code for e in row for notice in e.warnings} for row in answers]


def test_absurd_rows_are_answered_with_a_warning(at: ServedVersion) -> None:
    """A loan of 100 million over 900 months, and one of minus a million, are told to be out of range."""
    data = german_credit()
    rows = np.repeat(data.rows[data.test[:1]], 2, axis=0)
    rows[0, [data.position("amount_dm"), data.position("duration_months")]] = 1e8, 900
    rows[1, data.position("amount_dm")] = -1e6
    for codes in (*warned(at, rows), *warned(at, rows, class_name="all")):
        assert "out-of-range" in codes


def test_customers_are_not_bothered(at: ServedVersion) -> None:
    """Of 100 rows that were held back from training at most 4 carry a warning, at a stated rate of 1."""
    data = german_credit()
    assert sum(map(bool, warned(at, data.rows[data.test[20:120]]))) <= 4


def test_no_number_changes(at: ServedVersion) -> None:
    """A warning is all that is added: a foreign row's attributions are the engine's own, at the same cost."""
    row = german_credit().rows[:1] * 50
    options = ExplainOptions(output="log_odds")
    ((told,),) = at.explain(row, options)
    ((bare,),) = at.engines.own.explain(row, options, at.manifest)
    assert told.attributions == bare.attributions
    assert told.method == bare.method
    assert set(told.warnings) - set(bare.warnings)


def test_interactions_are_warned_of_too(at: ServedVersion) -> None:
    """Pairs of a foreign row carry the same warning as its attributions."""
    row = german_credit().rows[:1] * 50
    ((pairs,),) = at.interact(row, ExplainOptions(output="log_odds"))
    assert "foreign-row" in {notice.code for notice in pairs.warnings}
