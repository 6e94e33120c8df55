"""Proves that what answered for a version is known as long as its receipts may be."""

from __future__ import annotations

from pathlib import Path

from explainer.durable import DurableFile
from explainer.receipts.answered_by import AnsweredBy


def test_all_code_that_answered_is_known_again(tmp_path: Path) -> None:
    """After a restart, each code once, by version and background."""
    first = AnsweredBy(DurableFile(tmp_path / "records.db", ""))
    for _ in range(3):
        first.note("digest", "background", {"tree": 1, "sklearn": "1.9"})
    first.note("digest", "background", {"sklearn": "1.9", "tree": 2})
    first.note("other", "background", {"tree": 1})
    again = AnsweredBy(DurableFile(tmp_path / "records.db", ""))
    again.note("digest", "background", {"sklearn": "1.9", "tree": 1})
    found = again.of("digest")
    assert len(found) == 2
    assert ("background", {"tree": 1, "sklearn": "1.9"}) in found
    assert ("background", {"tree": 2, "sklearn": "1.9"}) in found
    assert again.of("unknown") == []
