"""`explainer replay`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.house import House


@pytest.fixture
def receipt(house: House, shell: Shell, good_rows: Path) -> str:
    house.register()
    return str(json.loads(shell("explain", "credit", "--input", str(good_rows)).out.splitlines()[0])["receipt"])


def test_the_same_again_is_status_0(shell: Shell, receipt: str) -> None:
    """In words and as JSON."""
    assert "to the bit" in shell("replay", receipt).out
    assert shell("replay", receipt, "--json").json == {
        "receipt": receipt,
        "identical": True,
        "largest_difference": 0.0,
    }


def test_a_difference_is_status_1(house: House, shell: Shell, receipt: str) -> None:
    """The answer is 'no': said in words, with how far."""
    house.workers.shift = 0.25
    done = shell("replay", receipt)
    assert done.status == 1
    assert "NOT the same; the largest difference is 0.25" in done.out
    assert shell("replay", receipt, "--json").json["identical"] is False


def test_no_such_receipt(shell: Shell) -> None:
    """A receipt that is not there: status 1 and its name."""
    done = shell("replay", "rcp_" + "0" * 26)
    assert done.status == 1
    assert "rcp_0000" in done.err
