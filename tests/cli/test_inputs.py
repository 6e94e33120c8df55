"""Rows of a file in batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explainer.cli.inputs import Batch, Rejected, read_batches
from explainer.errors import InvalidRows
from tests.registry.folders import FEATURES, ROW

HEADER = "amount,months,purpose,phone\n"
GOOD = "12.5,24,house,true\n"


def test_batches(tmp_path: Path) -> None:
    """Rows come in order and in batches of the size asked for, each with its line."""
    (tmp_path / "rows.csv").write_text(HEADER + GOOD * 5)
    batches = list(read_batches(tmp_path / "rows.csv", FEATURES, size=2))
    assert [batch.lines for batch in batches] == [(2, 3), (4, 5), (6,)]
    assert all(row == ROW for batch in batches for row in batch.rows)


def test_bad_rows_are_set_aside(tmp_path: Path) -> None:
    """A bad row is reported with line, field and rule, and the good ones around it keep their lines."""
    (tmp_path / "rows.csv").write_text(HEADER + GOOD + "x,24,boat,true\n1,2\n" + GOOD)
    (batch,) = read_batches(tmp_path / "rows.csv", FEATURES)
    assert batch.lines == (2, 5)
    assert batch.rows == (ROW, ROW)
    found = [(r.line, p.where, p.rule) for r in batch.rejected for p in r.problems]
    assert found == [(3, "line 3.amount", "type"), (3, "line 3.purpose", "category"), (4, "line 4", "length")]


def test_only_bad_rows(tmp_path: Path) -> None:
    """A batch may hold nothing but rejected rows."""
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (batch,) = read_batches(tmp_path / "rows.jsonl", FEATURES)
    assert isinstance(batch, Batch)
    assert (batch.lines, batch.rows) == ((), ())
    assert isinstance(batch.rejected[0], Rejected)


def test_no_rows(tmp_path: Path) -> None:
    """A header alone, and an empty JSONL file, hold no batch."""
    (tmp_path / "rows.csv").write_text(HEADER)
    (tmp_path / "rows.jsonl").write_text("")
    assert list(read_batches(tmp_path / "rows.csv", FEATURES)) == []
    assert list(read_batches(tmp_path / "rows.jsonl", FEATURES)) == []


def test_columns_are_ignored_when_named(tmp_path: Path) -> None:
    """A column that is no feature is refused, unless its name is given."""
    (tmp_path / "rows.csv").write_text("case," + HEADER + "7," + GOOD)
    with pytest.raises(InvalidRows, match="'case' is not a feature"):
        list(read_batches(tmp_path / "rows.csv", FEATURES))
    (batch,) = read_batches(tmp_path / "rows.csv", FEATURES, ignored=["case"])
    assert batch.rows == (ROW,)


def test_rows_before_a_fault_are_yielded(tmp_path: Path) -> None:
    """A file is read as a stream: what stands before a broken quote has been handed out when the fault is met."""
    (tmp_path / "rows.csv").write_text(HEADER + GOOD * 3 + '1,2,"car,true\n')
    batches = read_batches(tmp_path / "rows.csv", FEATURES, size=1)
    assert [next(batches).lines for _ in range(3)] == [(2,), (3,), (4,)]
    with pytest.raises(InvalidRows, match=r"line 5: .*quote"):
        next(batches)


def test_csv_and_jsonl_agree(tmp_path: Path) -> None:
    """The same rows in two kinds of file are the same rows."""
    (tmp_path / "rows.csv").write_text(HEADER + GOOD + "3,,car,0\n")
    rows = [ROW, {"amount": 3, "months": None, "purpose": "car", "phone": False}]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (first,) = read_batches(tmp_path / "rows.csv", FEATURES)
    (second,) = read_batches(tmp_path / "rows.jsonl", FEATURES)
    assert first.rows == second.rows
