"""Answers in files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from explainer.cli.outputs import ROW_GROUP, explanation_layout, prediction_layout, writing
from explainer.errors import InvalidOption
from tests.registry.folders import FEATURES

parquet = pytest.importorskip("pyarrow.parquet")

VALUES = {"amount": 12.5, "months": None, "purpose": 'a "quoted", name', "phone": True}
ANSWER: dict[str, Any] = {
    "line": 2,
    "prediction": 0.1 + 0.2,
    "expected_value": 1e-300,
    "class": "bad",
    "output": "probability",
    "attributions": [
        {"feature": name, "value": value, "attribution": 0.25, "standard_error": None if i else 0.5}
        for i, (name, value) in enumerate(VALUES.items())
    ],
    "method": {"name": "exact", "reason": "few features", "exact": True, "evaluations": 16, "additivity_gap": 0.0},
    "warnings": [{"code": "one", "detail": "x"}, {"code": "two", "detail": "y"}],
    "cache": "miss",
    "receipt": "r1",
}
LAYOUT = explanation_layout(FEATURES)


def write(path: Path, answers: list[dict[str, Any]]) -> None:
    with writing(path, LAYOUT) as writer:
        for answer in answers:
            writer.write(answer)


def test_jsonl(tmp_path: Path) -> None:
    """JSONL keeps the whole answer, one on a line."""
    write(tmp_path / "out.jsonl", [ANSWER, ANSWER])
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [ANSWER, ANSWER]


def test_csv(tmp_path: Path) -> None:
    """CSV keeps every number to the bit, writes true and false, and leaves missing values empty."""
    write(tmp_path / "out.csv", [ANSWER])
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == list(LAYOUT.columns)
    assert float(row["prediction"]) == ANSWER["prediction"]
    assert float(row["expected_value"]) == 1e-300
    assert (row["line"], row["method.exact"], row["value.phone"]) == ("2", "true", "true")
    assert (row["value.months"], row["standard_error.months"], row["standard_error.amount"]) == ("", "", "0.5")
    assert (row["value.purpose"], row["warnings"]) == ('a "quoted", name', "one;two")


def test_parquet(tmp_path: Path) -> None:
    """Parquet has the same columns with their types, even where every value is missing."""
    write(tmp_path / "out.parquet", [ANSWER])
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == list(LAYOUT.columns)
    (row,) = table.to_pylist()
    assert (row["prediction"], row["value.months"], row["value.phone"]) == (ANSWER["prediction"], None, True)
    types = {name: str(table.schema.field(name).type) for name in ("value.months", "lime.local_r2", "receipt")}
    assert types == {"value.months": "int64", "lime.local_r2": "double", "receipt": "string"}


def test_many_rows(tmp_path: Path) -> None:
    """More rows than one group holds are all written, in order."""
    answers = [{**ANSWER, "line": i} for i in range(ROW_GROUP + 3)]
    write(tmp_path / "out.parquet", answers)
    assert parquet.read_table(tmp_path / "out.parquet", columns=["line"]).column(0).to_pylist() == list(
        range(ROW_GROUP + 3)
    )


def test_some_features_only(tmp_path: Path) -> None:
    """An answer that shows only leading features leaves the others empty and keeps the rest's sum."""
    shown = {**ANSWER, "attributions": ANSWER["attributions"][:1], "other": {"features": 3, "attribution": 0.75}}
    write(tmp_path / "out.csv", [shown])
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["attribution.amount"], row["attribution.phone"], row["other.attribution"]) == ("0.25", "", "0.75")


def test_predictions(tmp_path: Path) -> None:
    """A prediction has a column for each class, and the codes of its warnings in one."""
    layout = prediction_layout(["bad", "good"])
    answer = {"line": 2, "prediction": 0.25, "class": "bad", "probabilities": {"bad": 0.25, "good": 0.75}}
    answer["warnings"] = [{"code": "far", "detail": "It is."}, {"code": "odd", "detail": "So it is."}]
    with writing(tmp_path / "out.csv", layout) as writer:
        writer.write(answer)
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "line,prediction,output,class,decision,warnings,probability.bad,probability.good",
        "2,0.25,,bad,,far;odd,0.25,0.75",
    ]


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_nothing_is_left_after_a_failure(tmp_path: Path, name: str) -> None:
    """When the work fails half-way the old file is as it was, and no part of the new one is left."""
    (tmp_path / name).write_text("before")

    def fail() -> None:
        with writing(tmp_path / name, LAYOUT) as writer:
            writer.write(ANSWER)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "before"


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_no_answers(tmp_path: Path, name: str) -> None:
    """Without any answer the file is there, readable and empty."""
    write(tmp_path / name, [])
    if name.endswith("parquet"):
        assert parquet.read_table(tmp_path / name).num_rows == 0
    else:
        assert len((tmp_path / name).read_text().splitlines()) == (1 if name.endswith("csv") else 0)


def test_wrong_places(tmp_path: Path) -> None:
    """An unknown ending and an absent folder are refused before anything is computed."""
    with pytest.raises(InvalidOption, match=r"out\.xlsx must end with one of \.jsonl, \.csv, \.parquet"):
        write(tmp_path / "out.xlsx", [])
    with pytest.raises(InvalidOption, match="there is no folder"):
        write(tmp_path / "nowhere" / "out.csv", [])
