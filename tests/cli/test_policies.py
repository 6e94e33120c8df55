"""`explainer policies` and `explainer budgets`: one command widens what an application sees."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.house import House


def test_one_command_shows_an_application_everything(shell: Shell, house: House) -> None:
    """It holds in every process at once, is listed with who chose it, and can be dropped."""
    house.register()
    done = shell("policies", "set", "application", "--model", "credit")
    assert (done.status, done.out) == (0, "application sees of credit: full, all features, values, prediction full.\n")
    assert house.rooms.policies.of("application", "credit").whole
    assert "application      credit" in shell("policies", "list").out
    assert shell("policies", "reset", "application", "--model", "credit").status == 0
    assert not house.rooms.policies.of("application", "credit").whole
    assert shell("policies", "reset", "application", "--model", "credit").status == 1


def test_a_budget_is_set_listed_and_dropped(shell: Shell, house: House) -> None:
    """What is left out has no bound."""
    done = shell("budgets", "set", "key_abcd2345", "--model", "credit", "--rows-minute", "600")
    assert done.out == "key_abcd2345 may ask of credit: rows/minute 600.\n"
    assert "distinct/version 5,000" in shell("budgets", "list").out
    assert shell("budgets", "reset", "key_abcd2345", "--model", "credit").status == 0
    assert shell("budgets", "set", "application", "--model", "credit").out.endswith("credit: no bound.\n")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["policies", "set", "king"], 1),
        (["policies", "set", "analyst", "--detail", "some"], 2),
        (["policies", "set", "analyst", "--prediction", "none"], 1),
        (["policies", "release", "key_a", "credit"], 1),
        (["budgets", "set", "x", "--rows-day", "-1"], 2),
    ],
)
def test_what_cannot_be_is_said(shell: Shell, words: list[str], status: int) -> None:
    """2 for wrong usage, 1 for what the house refuses."""
    assert shell(*words).status == status
