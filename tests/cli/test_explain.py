"""`explainer explain`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from explainer.errors import ModelFailed
from tests.cli.conftest import Shell
from tests.house import House


def test_good_rows_are_explained_and_bad_ones_named(house: House, shell: Shell, rows: Path) -> None:
    """One JSON line for each good row with the line it came from; each bad one on standard error; status 1."""
    house.register()
    done = shell("explain", "credit", "--input", str(rows))
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 1
    assert [a["line"] for a in answers] == [2, 4, 5]
    assert all(len(a["attributions"]) == 4 and a["receipt"].startswith("rcp_") for a in answers)
    assert "rows.csv: line 3.amount: " in done.err
    assert "amount" in done.err
    assert "boat" in done.err
    assert "3 rows answered, 1 refused." in done.err


def test_all_good_is_status_0(house: House, shell: Shell, good_rows: Path) -> None:
    """Nothing refused: status 0, and the workers are ended."""
    house.register()
    assert shell("explain", "credit", "--input", str(good_rows)).status == 0
    assert house.workers.started
    assert house.workers.stopped


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_every_kind_of_file(house: House, shell: Shell, rows: Path, tmp_path: Path, ending: str) -> None:
    """The same numbers in each format; nothing on standard output."""
    house.register()
    target = tmp_path / f"out.{ending}"
    done = shell("explain", "credit", "--input", str(rows), "--output", str(target))
    assert (done.status, done.out) == (1, "")
    if ending == "jsonl":
        found = [(a["line"], a["prediction"]) for a in map(json.loads, target.read_text().splitlines())]
    elif ending == "csv":
        with target.open(newline="") as file:
            found = [(int(r["line"]), float(r["prediction"])) for r in csv.DictReader(file)]
    else:
        table = pytest.importorskip("pyarrow.parquet").read_table(target)
        found = list(zip(table["line"].to_pylist(), table["prediction"].to_pylist(), strict=True))
    direct = [json.loads(line) for line in shell("explain", "credit", "--input", str(rows)).out.splitlines()]
    assert found == [(a["line"], a["prediction"]) for a in direct]


def test_settings_are_passed_on(house: House, shell: Shell, good_rows: Path) -> None:
    """Every option of the command changes the question that is asked."""
    house.register()
    words = ["--method", "lime", "--space", "raw", "--class", "good", "--top", "2", "--seed", "7"]
    done = shell("explain", "credit", "--input", str(good_rows), *words)
    answer = json.loads(done.out.splitlines()[0])
    assert (answer["method"]["name"], answer["method"]["seed"]) == ("lime", 7)
    assert (answer["output"], answer["class"], len(answer["attributions"])) == ("raw", "good", 2)


def test_a_version_can_be_named(house: House, shell: Shell, good_rows: Path) -> None:
    """The version that was named answers, though there is a newer one."""
    old = house.register()
    house.register(version="2.0")
    shell("explain", "credit", "--input", str(good_rows), "--version", "1.0")
    assert {e.entry.body.get("digest") for e in house.entries()} == {None, old.digest}


@pytest.mark.parametrize(
    "words",
    [
        ["explain"],
        ["explain", "credit"],
        ["explain", "credit", "--input"],
        ["explain", "credit", "--input", "x.csv", "--space", "odds"],
        ["explain", "credit", "--input", "x.csv", "--top", "0"],
        ["explain", "credit", "--input", "x.csv", "--seed", "-1"],
        ["explain", "credit", "--input", "x.csv", "--tolerance", "0"],
        ["explain", "credit", "--input", "x.csv", "--unknown"],
    ],
)
def test_wrong_usage_is_status_2(shell: Shell, words: list[str]) -> None:
    """Missing and impossible arguments: status 2 with a sentence, and nothing is opened."""
    done = shell(*words)
    assert done.status == 2
    assert "Error:" in done.err


def test_what_is_not_there_is_status_1(house: House, shell: Shell, good_rows: Path, tmp_path: Path) -> None:
    """No such model, no such file, no such method: one sentence that says which, and status 1."""
    house.register()
    for words, said in (
        (["explain", "credti", "--input", str(good_rows)], "credti"),
        (["explain", "credit", "--input", str(tmp_path / "absent.csv")], "absent.csv"),
        (["explain", "credit", "--input", str(good_rows), "--method", "magic"], "magic"),
        (["explain", "credit", "--input", str(good_rows), "--output", str(tmp_path / "x.xlsx")], "x.xlsx"),
    ):
        done = shell(*words)
        assert done.status == 1
        assert said in done.err
        assert "Traceback" not in done.err


def test_a_failing_model_leaves_no_file(house: House, shell: Shell, good_rows: Path, tmp_path: Path) -> None:
    """The error is said, the output is not there, and no part of it."""
    house.register()
    house.workers.failing = ModelFailed("it divided by zero")
    target = tmp_path / "out" / "answers.csv"
    target.parent.mkdir()
    done = shell("explain", "credit", "--input", str(good_rows), "--output", str(target))
    assert done.status == 1
    assert "it divided by zero" in done.err
    assert list(target.parent.iterdir()) == []
