"""`explainer decisions`: a file of decisions comes in, is listed, shown, and written to whom it concerns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.test_decisions import PLAIN
from tests.cli.conftest import Shell, run
from tests.house import House, build

HEAD = "case,person,decided,amount,months,purpose,phone\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three decisions, one of them with a value that does not fit."""
    path = tmp_path / "decisions.csv"
    path.write_text(
        HEAD + "A-1,anna,declined,12.5,24,house,true\nA-2,bert,,much,24,car,true\nA-3,carla,granted,3,,car,0\n"
    )
    return path


IMPORT = ("decisions", "import", "credit", "--id", "case", "--subject", "person", "--outcome", "decided", "--input")


def test_a_file_comes_in_and_again_nothing_is_doubled(shell: Shell, house: House, file: Path) -> None:
    """Good rows become decisions of their own names; the bad one is named; a second run passes all over."""
    house.register()
    done = shell(*IMPORT, str(file))
    assert (done.status, done.out) == (1, "2 decisions brought in, 0 known already, 1 rows refused.\n")
    assert "line 3" in done.err
    assert shell(*IMPORT, str(file)).out == "0 decisions brought in, 2 known already, 1 rows refused.\n"
    listed = [json.loads(line) for line in shell("decisions", "list", "--json").out.splitlines()]
    assert {(d["external_id"], d["outcome"]) for d in listed} == {("A-1", "declined"), ("A-3", "granted")}
    found = shell("decisions", "list", "--model", "credit", "--id", "A-3").out
    assert found.startswith("dec_")
    assert "A-3" in found
    assert len(shell("decisions", "list", "--limit", "1").out.splitlines()) == 1
    assert shell("subjects", "show", "anna").json[-1]["external_id"] == "A-1"


def test_columns_that_nobody_named_are_refused(shell: Shell, house: House, file: Path) -> None:
    """Nothing comes in from a file with a column that is neither a feature nor named."""
    house.register()
    done = shell("decisions", "import", "credit", "--input", str(file))
    assert done.status == 1
    assert "case" in done.err
    assert shell("decisions", "list").out == ""


def test_one_is_shown_and_written(tmp_path: Path, file: Path) -> None:
    """All that is known of it as JSON; the notice as JSON, HTML and PDF; another ending is refused."""
    house = build(tmp_path / "house", notice_sender="The Bank", notice_contact="desk@bank")
    house.register(features=PLAIN)
    run(house, *IMPORT, str(file))
    (line,) = run(house, "decisions", "list", "--model", "credit", "--id", "A-1", "--json").out.splitlines()
    decision = json.loads(line)["id"]
    shown = run(house, "decisions", "show", decision).json
    assert shown["instance"]["amount"] == 12.5
    plain = run(house, "decisions", "notice", decision)
    assert plain.status == 0, plain.err
    assert shown["decision"]["reasons"][0]["text"] in plain.out
    for name, begins in (("n.pdf", b"%PDF"), ("n.html", b"<!doctype html>")):
        assert run(house, "decisions", "notice", decision, "--output", str(tmp_path / name)).status == 0
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert run(house, "decisions", "notice", decision, "--output", str(tmp_path / "n.doc")).status == 1
    assert run(house, "decisions", "notice", "dec_1").status == 1
