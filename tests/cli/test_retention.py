"""`explainer retention`."""

from __future__ import annotations

from tests.cli.conftest import Shell


def test_periods_and_holds_are_set_and_shown(shell: Shell) -> None:
    """By word, subjects also from standard input and never shown; a sweep says what it did."""
    assert shell("retention", "show").out == "every other model: for ever\n"
    assert shell("retention", "set", "--days", "365").status == 0
    assert shell("retention", "set", "--model", "credit", "--days", "30").status == 0
    assert shell("retention", "hold", "--subject", "-", "--reason", "case 12", stdin="anna\n").status == 0
    shown = shell("retention", "show").out
    assert "every other model: 365 days\ncredit: 30 days\n" in shown
    assert "case 12" in shown
    assert "anna" not in shown
    assert shell("retention", "sweep", "--dry-run").out.endswith("0 receipts would be removed.\n")
    assert shell("retention", "sweep").out == "0 receipts removed.\n"
    assert shell("retention", "release", "--subject", "anna").status == 0
    assert shell("retention", "set", "--forever").status == 0
    assert shell("retention", "show").out == "credit: 30 days\nevery other model: for ever\n"


def test_wrong_usage_is_status_2(shell: Shell) -> None:
    """Neither or both of what excludes one another."""
    assert shell("retention", "set").status == 2
    assert shell("retention", "set", "--days", "1", "--forever").status == 2
    assert shell("retention", "hold", "--reason", "x").status == 2
    assert shell("retention", "release", "--model", "a", "--subject", "b").status == 2
    assert shell("retention", "release", "--subject", "-").status == 1
