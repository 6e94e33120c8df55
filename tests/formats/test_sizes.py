"""Files are measured before they are read."""

from __future__ import annotations

from pathlib import Path

from explainer.formats.sizes import too_large


def test_a_file_within_the_limit_is_no_problem(tmp_path: Path) -> None:
    """The limit itself is allowed."""
    (tmp_path / "a").write_bytes(b"12345")
    assert too_large(tmp_path / "a", 5) == []


def test_a_file_beyond_the_limit_says_both_sizes(tmp_path: Path) -> None:
    """The problem names the file's size and the limit."""
    (tmp_path / "a").write_bytes(b"123456")
    (problem,) = too_large(tmp_path / "a", 5)
    assert problem.rule == "size"
    assert "6 bytes; at most 5" in problem.detail


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    """A folder in the file's place is a problem."""
    assert [p.rule for p in too_large(tmp_path, 1 << 30)] == ["missing"]
