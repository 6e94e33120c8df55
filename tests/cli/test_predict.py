"""`explainer predict`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.cli.conftest import Shell
from tests.house import House


def test_rows_are_predicted(house: House, shell: Shell, rows: Path) -> None:
    """Good rows have a prediction and a decision, the bad one is named on standard error, status 1."""
    house.register()
    done = shell("predict", "credit", "--input", str(rows))
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 1
    assert [a["line"] for a in answers] == [2, 4, 5]
    assert all(sum(a["probabilities"].values()) > 0.999 for a in answers)
    assert {a["decision"] for a in answers} <= {"granted", "declined"}
    assert "line 3" in done.err


def test_into_a_file(house: House, shell: Shell, good_rows: Path, tmp_path: Path) -> None:
    """CSV has a column for each class; status 0 when all rows are good."""
    house.register()
    target = tmp_path / "out.csv"
    assert shell("predict", "credit", "--input", str(good_rows), "--output", str(target)).status == 0
    with target.open(newline="") as file:
        (first, second) = csv.DictReader(file)
    assert (first["line"], second["line"]) == ("2", "3")
    assert float(first["probability.bad"]) + float(first["probability.good"]) == 1
