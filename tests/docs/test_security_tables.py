"""The tables of security requirements are whole, and name tests that exist."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

PAGES = [Path("docs/reference/asvs.md"), Path("docs/reference/owasp-api.md"), Path("SECURITY.md")]
STATES = {"yes", "part", "no", "yours", "none"}
NUMBER = re.compile(r"\d+\.\d+\.\d+")


def rows(page: Path) -> list[list[str]]:
    """The cells of each row of the page's tables, heads left out."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("|") and not line.startswith("|---")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in {"requirement", "risk", "threat"}]


def test_every_requirement_of_asvs_stands_in_one_row() -> None:
    """Levels 1 and 2 of version 5.0, but for WebRTC; each row has a state, and says how unless there is nothing."""
    wanted = Path("tests/docs/asvs-levels-1-2.txt").read_text().split()
    told = Counter(number for row in rows(PAGES[0]) for number in NUMBER.findall(row[0]))
    assert told == Counter(wanted)
    for numbers, _, state, how in rows(PAGES[0]):
        assert state in STATES, numbers
        assert how or state in {"none", "yours"}, numbers


def test_the_ten_risks_are_all_there() -> None:
    """API1 to API10, in their order."""
    assert [row[0].split()[0] for row in rows(PAGES[1])] == [f"API{i}" for i in range(1, 11)]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_named_tests_and_sources_exist(page: Path) -> None:
    """A table that points to a test which is gone promises what nobody tries."""
    named = set(re.findall(r"`((?:tests|webui|explainer)/[^`]*)`", page.read_text()))
    assert len(named) > 10
    assert [path for path in sorted(named) if not Path(path).exists()] == []


def test_every_threat_has_a_control_and_a_test() -> None:
    """No row of SECURITY.md is empty at its end."""
    for threat, control, test in rows(PAGES[2]):
        assert control, threat
        assert test.startswith("`tests/"), threat
