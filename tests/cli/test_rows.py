"""Files through a use case, batch by batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explainer.cli.outputs import prediction_layout
from explainer.cli.rows import EVERY, Progress, Work, carry
from tests.registry.folders import FEATURES

LAYOUT = prediction_layout(())


def test_rows_keep_their_lines_over_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every answer has the line its row came from, however many batches there were."""
    count = 450
    lines = [f"{i},1,car,true" if i % 100 else "x,1,car,true" for i in range(count)]
    source = tmp_path / "rows.csv"
    source.write_text("amount,months,purpose,phone\n" + "\n".join(lines) + "\n")
    seen: list[int] = []

    def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen.append(len(rows))
        return [{"row": i, "amount": row["amount"]} for i, row in enumerate(rows)]

    target = tmp_path / "out.jsonl"
    assert carry(Work(source, target, LAYOUT, FEATURES), answers) is False
    expected = [f'{{"line":{i + 2},"row":' for i in range(count) if i % 100]
    found = target.read_text().splitlines()
    assert len(seen) > 2
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(start)
        assert f'"amount":{int(start.split(":")[1].split(",")[0]) - 2}' in text
    assert capsys.readouterr().err.count("line ") == 5


def test_plain_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal a line comes every thousand rows, not at every batch."""
    source = tmp_path / "rows.csv"
    source.write_text("a\n" * 10)
    with Progress(source) as progress:
        for rows in range(0, 3 * EVERY + 1, 200):
            progress.reached(rows)
    assert capsys.readouterr().err.splitlines() == [f"{EVERY * i} rows read" for i in (1, 2, 3)]


def test_a_file_without_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to do is done well: an empty output, and nobody is asked."""
    source = tmp_path / "rows.jsonl"
    source.write_text("")
    assert carry(Work(source, tmp_path / "out.jsonl", LAYOUT, FEATURES), lambda rows: 1 / 0) is True  # type: ignore
    assert (tmp_path / "out.jsonl").read_text() == ""
    assert capsys.readouterr().err == "0 rows answered, 0 refused.\n"
