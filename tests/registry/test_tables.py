"""Rows of files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import InvalidRows, NotFound
from explainer.registry.tables import LONGEST_LINE, read_table
from tests.registry.folders import BACKGROUND, FEATURES, ROW

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

HEADER = "amount,months,purpose,phone\n"
SECOND = {"amount": 3, "months": None, "purpose": "car", "phone": False}


def read(path: Path, data: bytes | str, ignored: tuple[str, ...] = ()) -> list[tuple[int, dict[str, Any], list[str]]]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return [(line.number, line.row, [p.where for p in line.problems]) for line in read_table(path, FEATURES, ignored)]


@pytest.mark.parametrize(
    "data",
    [
        BACKGROUND,
        "\ufeff" + BACKGROUND,
        BACKGROUND.replace("\n", "\r\n"),
        BACKGROUND.rstrip("\n"),
        BACKGROUND.replace("house", '"house"'),
        "phone,purpose,months,amount\ntrue,house,24,12.5\n0,car,,3\n",
    ],
)
def test_csv(tmp_path: Path, data: str) -> None:
    """A byte order mark, line ends of Windows, quotes, another order and a missing last line end change nothing."""
    assert read(tmp_path / "a.csv", data) == [(2, ROW, []), (3, SECOND, [])]


def test_csv_line_numbers(tmp_path: Path) -> None:
    """Line numbers are those of an editor: blank lines and line breaks inside quotes are counted."""
    data = HEADER + '\n1,1,"ho\nuse",1\n\n12.5,24,house,true\n1,1,car\n'
    found = read(tmp_path / "a.csv", data)
    assert [(number, problems) for number, _, problems in found] == [(3, ["line 3.purpose"]), (6, []), (7, ["line 7"])]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the first line must hold the names"),
        (b"\n1,2,3,4\n", "the first line must hold the names"),
        (b"amount;months;purpose;phone\n", "separated by ';'; use commas"),
        (b"amount\tmonths\n", "use commas"),
        (b"amount,amount,months,purpose,phone\n", "is there twice"),
        (b"amount,months,purpose\n", "The column 'phone' is missing"),
        (b"amount,months,purpose,phone,id\n", "'id' is not a feature; remove it or name it to be ignored"),
        (b"12.5,24,house,true\n", "'12.5' is not a feature"),
        ("amount,months".encode("utf-16"), "the file is UTF-16"),
        (HEADER.encode() + b"1,1,h\xe4user,1\n", "is not UTF-8"),
        (HEADER.encode() + b'1,1,"house,1\n2,2,car,1\n', "look for a quote that is not closed"),
        (HEADER.encode() + b'1,1,"ho"use,1\n', "look for a quote that is not closed"),
        (HEADER.encode() + b"1,1," + b"x" * 200_000 + b",1\n", "line 2: field larger than field limit"),
    ],
)
def test_csv_refused(tmp_path: Path, data: bytes, words: str) -> None:
    """A file that cannot be read as a whole is refused with the reason, under its name."""
    with pytest.raises(InvalidRows) as caught:
        read(tmp_path / "rows.csv", data)
    assert words in caught.value.detail
    assert caught.value.detail.startswith("rows.csv: ")


def test_ignored_columns(tmp_path: Path) -> None:
    """A column that the caller names is left out of the rows, in each kind of file."""
    data = "id,amount,months,purpose,phone\n9,12.5,24,house,true\n"
    assert read(tmp_path / "a.csv", data, ("id",)) == [(2, ROW, [])]
    assert read(tmp_path / "a.jsonl", json.dumps({"id": 9, **ROW}), ("id",)) == [(1, ROW, [])]
    parquet.write_table(pyarrow.Table.from_pylist([{"id": 9, **ROW}]), tmp_path / "a.parquet")
    assert [line.row for line in read_table(tmp_path / "a.parquet", FEATURES, ("id",))] == [ROW]


def test_jsonl(tmp_path: Path) -> None:
    """Objects and arrays, a byte order mark and blank lines are read; bad lines are told with their number."""
    lines = ["\ufeff" + json.dumps(ROW), "", json.dumps(list(ROW.values())), "{", '{"amount": NaN}', "[1]", "7", "null"]
    found = read(tmp_path / "a.jsonl", "\n".join(lines))
    assert found[:2] == [(1, ROW, []), (3, ROW, [])]
    assert [(number, problems) for number, _, problems in found[2:]] == [
        (4, ["line 4"]),
        (5, ["line 5"]),
        (6, ["line 6"]),
        (7, ["line 7"]),
        (8, ["line 8"]),
    ]


def test_jsonl_bad_values(tmp_path: Path) -> None:
    """A JSON row is coded by the rules of a request, and an unknown name is refused."""
    found = read(tmp_path / "a.jsonl", json.dumps({**ROW, "amount": "1", "id": 2}))
    assert found[0][2] == ["line 1.id", "line 1.amount"]


def test_jsonl_huge_line(tmp_path: Path) -> None:
    """A line beyond the bound ends the reading instead of filling the memory."""
    with pytest.raises(InvalidRows, match="line 1 has more than"):
        read(tmp_path / "a.jsonl", b"[" + b" " * LONGEST_LINE)


def test_parquet(tmp_path: Path) -> None:
    """Parquet rows are numbered from 1; NaN and null are missing; bad rows are told."""
    rows = [ROW, {**SECOND, "amount": 3.0}, {**ROW, "months": math.nan}, {**ROW, "purpose": "boat"}]
    table = pyarrow.Table.from_pylist([{**row, "months": row["months"] and float(row["months"])} for row in rows])
    parquet.write_table(table, tmp_path / "a.parquet")
    found = list(read_table(tmp_path / "a.parquet", FEATURES))
    assert [line.number for line in found] == [1, 2, 3, 4]
    assert [line.row["months"] for line in found] == [24, None, None, 24]
    assert [[p.where for p in line.problems] for line in found] == [[], [], [], ["row 4.purpose"]]


def test_parquet_dictionary_and_dates(tmp_path: Path) -> None:
    """Dictionary-coded text is text; a date where a number belongs is refused by its type."""
    columns = {
        "amount": pyarrow.array([0], pyarrow.date32()),
        "months": pyarrow.array([24], pyarrow.int8()),
        "purpose": pyarrow.array(["house"]).dictionary_encode(),
        "phone": pyarrow.array([None], pyarrow.bool_()),
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    (line,) = read_table(tmp_path / "a.parquet", FEATURES)
    assert [p.where for p in line.problems] == ["row 1.amount"]
    assert "date" in line.problems[0].detail


@pytest.mark.parametrize("data", [b"", b"PAR1", b"not parquet at all", b"PAR1" + b"\x00" * 100 + b"PAR1"])
def test_parquet_refused(tmp_path: Path, data: bytes) -> None:
    """Bytes that are no Parquet file are refused in words."""
    with pytest.raises(InvalidRows, match="this is not a whole Parquet file"):
        read(tmp_path / "a.parquet", data)


def test_parquet_header(tmp_path: Path) -> None:
    """The columns of a Parquet file obey the rules of a header."""
    parquet.write_table(pyarrow.table({"amount": [1.0]}), tmp_path / "a.parquet")
    with pytest.raises(InvalidRows, match="'months' is missing"):
        list(read_table(tmp_path / "a.parquet", FEATURES))


def test_other_files(tmp_path: Path) -> None:
    """An unknown ending and an absent file are told apart."""
    with pytest.raises(InvalidRows, match=r"must end with \.csv"):
        read_table(tmp_path / "a.xlsx", FEATURES)
    with pytest.raises(NotFound, match="There is no file"):
        read_table(tmp_path / "a.csv", FEATURES)
