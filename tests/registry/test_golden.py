"""Golden files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import Problem
from explainer.registry.golden import read_golden
from tests.registry.folders import GOLDEN, ROW, manifest

REGRESSION = {"task": "regression", "classes": (), "positive_class": None, "output": "raw", "decision": None}


def read(tmp_path: Path, document: Any, **changes: Any) -> tuple[Any, list[Problem]]:
    path = tmp_path / "golden.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    problems: list[Problem] = []
    return read_golden(path, manifest(**changes), problems), problems


def test_good(tmp_path: Path) -> None:
    """Rows come coded, predictions as they are, for classes and for one value."""
    (rows, predictions), problems = read(tmp_path, GOLDEN)
    assert rows.tolist() == [[12.5, 24.0, 1.0, 1.0]]
    assert predictions.tolist() == [[0.25, 0.75]]
    assert problems == []
    (_, predictions), _ = read(tmp_path, {"rows": [ROW], "predictions": [[-3]]}, **REGRESSION)
    assert predictions.tolist() == [[-3.0]]


@pytest.mark.parametrize(
    ("document", "where", "words"),
    [
        ("{", "golden.file", "is not JSON"),
        ('{"rows": [], "predictions": [[NaN]]}', "golden.file", "is not JSON"),
        ("[" * 3000, "golden.file", "is not JSON"),
        ([], "golden.file", "must hold"),
        ({"rows": [ROW]}, "golden.file", "must hold"),
        ({**GOLDEN, "note": 1}, "golden.file", "nothing else"),
        ({**GOLDEN, "rows": []}, "golden.rows", "at least one row"),
        ({**GOLDEN, "rows": [ROW] * 1001}, "golden.file", "at most 1000"),
        ({**GOLDEN, "rows": [{**ROW, "amount": "x"}]}, "golden.rows[0].amount", "send a number"),
        ({**GOLDEN, "predictions": []}, "golden.file", "1 rows but 0 predictions"),
        ({**GOLDEN, "predictions": [[0.25, 0.75]] * 2}, "golden.file", "1 rows but 2 predictions"),
        ({**GOLDEN, "predictions": [[1.0]]}, "golden.predictions", "a list of 2 class probabilities"),
        ({**GOLDEN, "predictions": [0.25]}, "golden.predictions", "a list of 2 class probabilities"),
        ({**GOLDEN, "predictions": [[True, False]]}, "golden.predictions", "class probabilities"),
        ({**GOLDEN, "predictions": [[0.5, 0.6]]}, "golden.predictions", "each row sums to 1"),
        ({**GOLDEN, "predictions": [[-0.5, 1.5]]}, "golden.predictions", "lies in 0 to 1"),
    ],
)
def test_bad(tmp_path: Path, document: Any, where: str, words: str) -> None:
    """Each fault is told at its place."""
    found, problems = read(tmp_path, document)
    assert found is None
    assert problems[0].where == where
    assert words in problems[0].detail


def test_rows_and_predictions_together(tmp_path: Path) -> None:
    """Faults of rows and of predictions are listed in one go."""
    _, problems = read(tmp_path, {"rows": [{}], "predictions": [[2, 3]]})
    assert {p.where.split("[")[0] for p in problems} == {"golden.rows", "golden.predictions"}
