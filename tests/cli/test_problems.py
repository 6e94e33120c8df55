"""Problems on standard error."""

from __future__ import annotations

import pytest

from explainer.cli.problems import say_problems
from explainer.errors import Problem


def test_many_of_a_kind_are_told_as_a_few_and_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The same rule at the same place but for numbers is told three times, then counted; other kinds are not lost."""
    many = [Problem(f"background.csv line {i}.housing", "category", f"'castle' in line {i}") for i in range(2, 27)]
    say_problems([*many, Problem("sha256", "checksum", "differs")])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[3] == "  sha256: differs [checksum]"
    assert lines[4] == "  ... and 22 more like it at background.csv line #.housing [category]"
