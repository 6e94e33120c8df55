"""`explainer importance`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.house import House


def test_a_files_rows_are_summarised(house: House, shell: Shell, good_rows: Path) -> None:
    """One JSON list with an entry for each class; features in order, errors beside the means."""
    house.register()
    done = shell("importance", "credit", "--input", str(good_rows))
    assert done.status == 0
    (item,) = done.json
    assert item["rows"] == [0, 1]
    assert {f["feature"] for f in item["features"]} == {"amount", "months", "purpose", "phone"}
    assert "attributions" not in item["features"][0]
    assert house.workers.stopped


def test_settings_are_passed_on(house: House, shell: Shell, good_rows: Path) -> None:
    """Options change the question; a background file stands for 'absent'; points are added."""
    house.register()
    words = [
        "--class",
        "all",
        "--top",
        "2",
        "--points",
        "--space",
        "raw",
        "--seed",
        "3",
        "--background",
        str(good_rows),
    ]
    done = shell("importance", "credit", "--input", str(good_rows), *words)
    assert [item["class"] for item in done.json] == ["bad", "good"]
    for item in done.json:
        assert item["background"].startswith("rows:")
        assert item["output"] == "raw"
        assert [len(f["attributions"]) for f in item["features"]] == [2, 2]


def test_a_row_that_does_not_fit_refuses_the_file(house: House, shell: Shell, rows: Path) -> None:
    """A summary of fewer rows than the file has would mislead: status 1, the line is named, nothing is computed."""
    house.register()
    done = shell("importance", "credit", "--input", str(rows))
    assert (done.status, done.out) == (1, "")
    assert "line 3.amount" in done.err
    assert not [a for a in house.workers.asked if a.startswith("explain")]


@pytest.mark.parametrize("command", ["explain", "importance"])
def test_a_background_that_does_not_fit_is_refused(
    house: House, shell: Shell, rows: Path, good_rows: Path, command: str
) -> None:
    """A bad row of the background is named with its line, for both commands that take one."""
    house.register()
    done = shell(command, "credit", "--input", str(good_rows), "--background", str(rows))
    assert done.status == 1
    assert "rows.csv: line 3.amount" in done.err


def test_explain_takes_a_background_too(house: House, shell: Shell, good_rows: Path) -> None:
    """Every explanation of the file is against the rows of the background file."""
    house.register()
    done = shell("explain", "credit", "--input", str(good_rows), "--background", str(good_rows))
    assert done.status == 0
    assert done.out.count('"background":"rows:') == 2
